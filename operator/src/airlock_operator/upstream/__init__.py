"""The server, as the operator meets it: whether it answers, and what it knows of an attempt."""
