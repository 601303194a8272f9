"""A pod's token for its task's."""
