"""Hooks: clients of processes, files and package indexes."""
