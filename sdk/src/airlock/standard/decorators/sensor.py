"""``@task.sensor``: a function that is called until it answers that it is done."""

from collections.abc import Callable, Collection
from typing import Any

from airlock.sdk.bases.decorator import get_unique_task_id, task_decorator_factory
from airlock.standard.sensors.python import PythonSensor


class DecoratedSensorOperator(PythonSensor):
    """Calls a function under ``@task.sensor``."""

    template_fields: Collection[str] = ("op_args", "op_kwargs")
    template_fields_renderers = {"op_args": "py", "op_kwargs": "py"}  # noqa: RUF012 - Airflow's form
    custom_operator_name = "@task.sensor"

    def __init__(self, *, task_id: str, **kwargs: Any) -> None:
        """Takes the arguments of PythonSensor."""
        if not self._from_mapped:
            task_id = get_unique_task_id(task_id, kwargs.get("dag"), kwargs.get("task_group"))
        super().__init__(task_id=task_id, **kwargs)


def sensor_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """Makes a function a sensor."""
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=False,
        decorated_operator_class=DecoratedSensorOperator,
        **kwargs,
    )
