"""What the server answers over HTTP, and the process that does."""
