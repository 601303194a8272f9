"""Timetables: when a DAG has runs, and for which time."""
