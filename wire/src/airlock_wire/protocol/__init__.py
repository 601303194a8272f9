"""What the runner and the sidecar say to each other: one request at a time, one answer each."""
