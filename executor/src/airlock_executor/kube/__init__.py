"""Speaks to Kubernetes: the only folder of the executor that imports its client."""
