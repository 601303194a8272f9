"""One try of one task, from its first line to its report."""
