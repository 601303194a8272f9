"""
What plugin files of Airflow import, so that they can be imported here too.

Of a plugin's lists the runner reads ``listeners`` alone. A DAG file imports the timetable or mapper that it uses.
"""

from collections.abc import Callable
from typing import Any, ClassVar


class AirflowPlugin:
    """The base of plugins. Its lists are those of Airflow's; ``listeners`` is read."""

    name: str | None = None
    source: Any = None
    macros: ClassVar[list[Any]] = []
    admin_views: ClassVar[list[Any]] = []
    flask_blueprints: ClassVar[list[Any]] = []
    fastapi_apps: ClassVar[list[Any]] = []
    fastapi_root_middlewares: ClassVar[list[Any]] = []
    external_views: ClassVar[list[Any]] = []
    react_apps: ClassVar[list[Any]] = []
    menu_links: ClassVar[list[Any]] = []
    appbuilder_views: ClassVar[list[Any]] = []
    appbuilder_menu_items: ClassVar[list[Any]] = []
    global_operator_extra_links: ClassVar[list[Any]] = []
    operator_extra_links: ClassVar[list[Any]] = []
    timetables: ClassVar[list[Any]] = []
    partition_mappers: ClassVar[list[Any]] = []
    windows: ClassVar[list[Any]] = []
    deadline_references: ClassVar[list[Any]] = []
    listeners: ClassVar[list[Any]] = []
    hook_lineage_readers: ClassVar[list[Any]] = []
    priority_weight_strategies: ClassVar[list[Any]] = []


def hookimpl(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Marks a function of a listener as pluggy does: ``@hookimpl``, or with options."""

    def mark(each: Any) -> Any:
        each.airflow_impl = options
        return each

    return mark if function is None else mark(function)


class TaskInstance:
    """
    The row of a task instance in Airflow's server. User code never gets one: its listeners ask whether what they are
    told of is one, and its annotations name it.
    """
