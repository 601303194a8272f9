"""The task's log lines: masked, written to a file, shipped."""
