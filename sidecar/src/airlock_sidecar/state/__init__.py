"""What is known of the launch, and survives a kill."""
