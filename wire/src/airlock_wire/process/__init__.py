"""What every process does to itself."""
