"""A log's way into an object store."""
