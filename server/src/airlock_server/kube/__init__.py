"""The Kubernetes API, as far as the server asks it."""
