"""The runner's container, whose every byte may be hostile."""
