"""A DAG as plain data: what its author wrote, as far as it can be known without user code."""
