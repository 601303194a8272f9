"""Dynamic task mapping: what is mapped over what, and the task that stands for all its instances."""
