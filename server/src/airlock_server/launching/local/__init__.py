"""Tries that run on this machine: a sidecar and a runner as two processes."""
