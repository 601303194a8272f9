"""Commands that run tasks and DAGs on this machine."""
