"""Which task instance: one task of one DAG run, and of a mapped task one of its instances. Plain data."""

import msgspec


class TaskInstanceKey(msgspec.Struct, frozen=True):
    """The four values that name a task instance. ``map_index`` is -1 where the task is not mapped."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1

    def __str__(self) -> str:
        """Returns the parts in their order, with slashes between them."""
        return f"{self.dag_id}/{self.run_id}/{self.task_id}/{self.map_index}"
