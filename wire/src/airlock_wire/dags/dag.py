"""
A DAG as plain data: the result of parsing a file, which is read without user code.
"""

from typing import Any, Final

import msgspec

from airlock_wire.dags.deadlines import SerializedDeadline
from airlock_wire.dags.group import SerializedGroup
from airlock_wire.dags.moments import Moment
from airlock_wire.dags.params import SerializedParam
from airlock_wire.dags.schedule import Null, Schedule
from airlock_wire.dags.task import SerializedTask
from airlock_wire.dags.triggers import SerializedWatcher

#: Tells this form of a DAG apart from Airflow's and from earlier ones.
FORMAT: Final = "airlock/2"


class DagDependency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another DAG or an asset that this DAG waits for or starts, for the graph that people see."""

    source: str
    target: str
    label: str = ""
    dependency_type: str = ""
    dependency_id: str | None = None


class SerializedDag(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One DAG with its tasks and groups, in the order in which the file made them. The defaults are those of Airflow.

    An option that is None has the value of a setting, which the reader knows.
    """

    dag_id: str
    tasks: list[SerializedTask]
    groups: list[SerializedGroup] = []
    format: str = FORMAT

    schedule: Schedule = Null()
    start_date: Moment | None = None
    end_date: Moment | None = None
    #: A name of the IANA database, or an offset as ``+01:00``.
    timezone: str = "UTC"
    catchup: bool | None = None
    max_active_runs: int | None = None
    max_active_tasks: int | None = None
    max_consecutive_failed_dag_runs: int | None = None
    dagrun_timeout_seconds: float | None = None
    fail_fast: bool = False
    is_paused_upon_creation: bool | None = None
    render_template_as_native_obj: bool = False
    rerun_with_latest_version: bool | None = None
    disable_bundle_versioning: bool | None = None
    #: Sorted; None: all.
    allowed_run_types: list[str] | None = None
    deadlines: list[SerializedDeadline] = []
    params: dict[str, SerializedParam] = {}
    #: The task whose value is the DAG's result.
    result_task_id: str | None = None
    #: The names of the callbacks that the author gave: ``on_success``, ``on_failure``; sorted.
    has_callbacks: list[str] = []
    watchers: list[SerializedWatcher] = []
    dag_dependencies: list[DagDependency] = []

    display_name: str | None = None
    description: str | None = None
    doc_md: str | None = None
    #: Sorted.
    tags: list[str] = []
    owner_links: dict[str, str] = {}
    access_control: dict[str, Any] = {}
    #: The text on an arrow, by the ids of the tasks before and after it.
    edge_labels: dict[str, dict[str, str]] = {}

    #: Where the DAG is defined, and the file's text. They are not part of the DAG's version.
    relative_file: str = ""
    line: int = 0
    source: str = ""

    def task(self, task_id: str) -> SerializedTask | None:
        """Returns the task of this id, if the DAG has one."""
        return next((task for task in self.tasks if task.task_id == task_id), None)

    def group(self, group_id: str) -> SerializedGroup | None:
        """Returns the group of this id, if the DAG has one."""
        return next((group for group in self.groups if group.group_id == group_id), None)
