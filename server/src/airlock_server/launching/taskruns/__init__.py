"""Tries that run as TaskRuns of a cluster."""
