"""
Whether Airflow's scheduler has heard that a launch ended: a file that its executor touches. Standard library only,
because the tests ask as well as Airflow's processes.

A task that waits for something may be queued again before Airflow's supervisor, which sometimes takes seconds, has
ended. The scheduler then takes the first launch's end for the second's and fails it: Airflow's own race. What a task of
these tests waits for comes after its launch's end was heard.
"""

import time
from pathlib import Path

#: In which the scheduler does with an event that it took what it does.
_SECONDS = 2.0


def note(folder, dag_id, task_id):
    """The executor gives the end of a launch of this task to the scheduler."""
    _path(folder, dag_id, task_id).touch()


def was(folder, dag_id, task_id):
    """Whether the scheduler has dealt with the end of a launch of this task."""
    path = _path(folder, dag_id, task_id)
    return path.exists() and time.time() - path.stat().st_mtime > _SECONDS


def _path(folder, dag_id, task_id):
    return Path(folder, f"heard-{dag_id}-{task_id}")
