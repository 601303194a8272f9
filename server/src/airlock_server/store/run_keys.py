"""
Names DAG runs in the tables. Pure.

A run that TaskRuns made belongs to their namespace, which is a part of its name. So two namespaces may each have a run
``nightly`` of a DAG ``etl``. Neither can use the other's run or learn that it exists.
"""


def key_of(namespace: str | None, run_id: str) -> str:
    """Returns the name in the tables. Its parts are told apart by a slash, which namespaces and ids do not have."""
    return f"{namespace}/{run_id}" if namespace else run_id


def run_id_of(key: str) -> str:
    """Returns the run's id for its task and its author."""
    return key.rpartition("/")[2]


def owner_of(key: str, dag_id: str) -> str:
    """Returns the name of a DAG as its runs' namespace has it; the namespace is empty for the scheduler's own runs."""
    return f"{key.rpartition('/')[0]}/{dag_id}"
