"""XComs by a class of the author's: ``[core] xcom_backend`` says which."""

from typing import Any

from airlock.sdk.bases.xcom import XComRow
from airlock.sdk.execution_time.xcom import resolve_xcom_backend
from airlock_runner.json_values import plain


class XComBackend:
    """What one task instance keeps and reads by that class."""

    def __init__(self, dag_id: str, run_id: str, task_id: str, map_index: int) -> None:
        """Imports the class. The ids are of the task instance. Raises AirlockException where that fails."""
        self._class = resolve_xcom_backend()
        self._place = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": map_index}

    def keep(self, key: str, value: Any, what: str) -> Any:
        """Returns what is kept for a value: plain JSON. Raises NotJson where the class returns anything else."""
        return plain(
            self._class.serialize_value(value, key=key, **self._place), f"{what}, as {self._class.__name__} keeps it,"
        )

    def read(self, key: str, kept: Any) -> Any:
        """Returns the value for what is kept."""
        return self._class.deserialize_value(XComRow(key, kept))

    def delete(self, key: str) -> None:
        """Deletes an XCom of this task instance, and what the class keeps elsewhere."""
        self._class.delete(key=key, **self._place)
