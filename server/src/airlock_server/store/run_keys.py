"""
How a DAG run is named in the tables. Pure.

A run that TaskRuns made belongs to their namespace, which is a part of its name: two namespaces may each have a run
``nightly`` of a DAG ``etl``. Neither can take the other's, and none learns of it.
"""


def key_of(namespace: str | None, run_id: str) -> str:
    """The name in the tables; no namespace, and so no id, has a slash."""
    return f"{namespace}/{run_id}" if namespace else run_id


def run_id_of(key: str) -> str:
    """The run's id, as its task and its author know it."""
    return key.rpartition("/")[2]
