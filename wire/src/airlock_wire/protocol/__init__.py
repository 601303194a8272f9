"""What the runner and the sidecar say to each other."""
