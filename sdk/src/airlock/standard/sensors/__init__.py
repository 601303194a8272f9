"""Sensors: tasks that look until something is so."""
