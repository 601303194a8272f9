"""Kubernetes: the API server, kopf, leadership, probes, the log that a cluster collects."""
