"""Partitions: which partition of a DAG an asset's partition leads to, and when its run starts."""
