"""The task instance as author's code sees it, for type annotations: ``def work(ti: TaskInstance)``."""

from typing import Any, NamedTuple, Protocol


class TaskInstance(Protocol):
    """``context["ti"]``."""

    id: Any
    dag_id: str
    task_id: str
    run_id: str
    map_index: int
    try_number: int
    max_tries: int
    hostname: str | None
    task: Any

    def xcom_push(self, key: str, value: Any) -> None:
        """Stores a value for the tasks after this one."""

    def xcom_pull(self, task_ids: Any = None, dag_id: str | None = None, key: str = "return_value") -> Any:
        """Returns the value that a task stored."""

    def get_template_context(self) -> Any:
        """Returns the context."""

    def render_templates(self, context: Any = None, jinja_env: Any = None) -> Any:
        """Renders the task's fields; returns the task."""


class TaskInstanceKey(NamedTuple):
    """What names one try of a task instance."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int = 1
    map_index: int = -1
