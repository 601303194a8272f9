"""What a cluster runs: programs, packages and images, built once and kept under their content."""
