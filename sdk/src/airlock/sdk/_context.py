"""The context: what a running task can know about itself, by the names that Airflow uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from airlock.sdk._names import near
from airlock.sdk.exceptions import OutsideTask

#: The names a task's function may declare as parameters and so be given. Those about dates are absent where the DAG
#: run has no logical date, and those about assets where the task has no inlets and outlets; a parameter then gets its
#: default, or None.
CONTEXT_NAMES: Final = frozenset(
    {
        "asset_state",
        "asset_state_store",
        "conf",
        "conn",
        "dag",
        "dag_run",
        "data_interval_end",
        "data_interval_start",
        "ds",
        "ds_nodash",
        "inlet_events",
        "logical_date",
        "map_index",
        "outlet_events",
        "params",
        "run_id",
        "task",
        "task_instance",
        "task_instance_key_str",
        "task_state",
        "task_state_store",
        "templates_dict",
        "ti",
        "try_number",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
        "var",
    }
)


class Context(dict[str, Any]):
    """The context as a dict whose entries are attributes too: ``context["ti"]`` and ``context.ti``."""

    def __getattr__(self, name: str) -> Any:
        """Returns the entry of this name."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the context has no {name!r}; {near(name, self)}") from None


class _Running:
    context: Context | None = None


@contextmanager
def running(context: Context) -> Iterator[None]:
    """Makes ``context`` the one that get_current_context() returns, in all threads, while the block runs."""
    _Running.context = context
    try:
        yield
    finally:
        _Running.context = None


def get_current_context() -> Context:
    """Returns the context of the task that runs in this process. Raises OutsideTask where none does."""
    if _Running.context is None:
        raise OutsideTask("get_current_context() works only inside a running task; call it from the task's function")
    return _Running.context
