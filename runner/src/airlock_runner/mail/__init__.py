"""The mail that tells people of a task that failed, or that is tried again."""
