"""Finds the DAG files of a bundle. Nothing here imports them."""
