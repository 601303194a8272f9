"""What Airflow orders: a task instance to be launched, as plain data. It has no token."""

import msgspec


class Order(msgspec.Struct, frozen=True):
    """One launch of a task instance."""

    launch_id: str
    ti_id: str
    dag_version_id: str
    dag_id: str
    task_id: str
    run_id: str
    try_number: int
    map_index: int
    queue: str
    priority: int
    bundle_name: str
    bundle_version: str | None
    #: The DAG file, relative to its bundle's folder.
    file: str
    context_carrier: dict[str, str]
    #: Whether it goes on with a deferral: begun again, it would begin from its start.
    resumed: bool = False
    #: How often the platform took a launch of this task instance.
    losses: int = 0
