"""One message of the runner in, one answer out."""
