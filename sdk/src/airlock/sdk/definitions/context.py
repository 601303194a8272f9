"""The context: what a running task can know about itself, by the names that Airflow uses."""

from collections.abc import Callable, ItemsView, Iterator, ValuesView
from contextlib import contextmanager
from typing import Any, Final

from airlock.sdk._names import near
from airlock.sdk.exceptions import OutsideTask

#: The names a task's function may declare as parameters and so be given. Those about dates are absent where the DAG
#: run has no logical date, and those about assets where the task has no inlets and outlets; a parameter then gets its
#: default, or None.
CONTEXT_NAMES: Final = frozenset(
    {
        "asset_state_store", "conn", "dag", "dag_run", "data_interval_end", "data_interval_start", "ds", "ds_nodash",
        "exception", "expanded_ti_count", "inlet_events", "inlets", "logical_date", "macros", "map_index_template",
        "outlet_events", "outlets", "params", "partition_date", "partition_key", "prev_data_interval_end_success",
        "prev_data_interval_start_success", "prev_end_date_success", "prev_start_date_success", "reason", "run_id",
        "task", "task_instance", "task_instance_key_str", "task_reschedule_count", "task_state_store",
        "templates_dict", "test_mode", "ti", "triggering_asset_events", "try_number", "ts", "ts_nodash",
        "ts_nodash_with_tz", "var",
    }
)  # fmt: skip
KNOWN_CONTEXT_KEYS: Final = CONTEXT_NAMES
#: Further entries, which a function may ask for, too. An argument of such a name is the author's.
FURTHER_NAMES: Final = frozenset({"asset_state", "conf", "map_index", "task_state"})
GIVEN_NAMES: Final = CONTEXT_NAMES | FURTHER_NAMES


class Later:
    """An entry of the context that is made when it is first read. Unlike with a Proxy, readers get the value."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        """``make`` is not called here."""
        self.make = make


class Context(dict[str, Any]):
    """
    The context as a dict whose entries are attributes too: ``context["ti"]`` and ``context.ti``.

    An entry may be a Later. No way of reading shows it: ``**context`` and ``dict(context)`` read an own ``__iter__``,
    where they would otherwise take the entries of a dict as they are. ``dict.items(context)`` takes them so.
    """

    def __getitem__(self, name: str) -> Any:
        """Returns the entry of this name, made now if it was not yet."""
        value = super().__getitem__(name)
        if type(value) is Later:
            value = value.make()
            super().__setitem__(name, value)
        return value

    def __iter__(self) -> Iterator[str]:
        """Returns the names."""
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        """Returns the entry of this name, or ``default``."""
        return self[name] if name in self else default  # noqa: SIM401 - this is that method

    def pop(self, name: str, *default: Any) -> Any:
        """Removes the entry of this name, and returns it."""
        if name in self:
            value = self[name]
            del self[name]
            return value
        return super().pop(name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Returns the entry of this name, which becomes ``default`` where it is not there."""
        super().setdefault(name, default)
        return self[name]

    def _made(self) -> "Context":
        for name in self:
            self[name]
        return self

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # dict's own view is final to type checkers
        """Returns names and entries."""
        return super(Context, self._made()).items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # as above
        """Returns the entries."""
        return super(Context, self._made()).values()

    def copy(self) -> "Context":
        """Returns a copy, whose entries are made as those of this one."""
        return Context(dict.items(self))

    def __or__(self, other: Any) -> "Context":  # type: ignore[override]  # dict has one for each class of value
        """Returns a copy with further entries."""
        both = self.copy()
        both.update(other)
        return both

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


def render_template(template: Any, context: Any, *, native: bool) -> Any:
    """Returns a template of Jinja2, rendered: as text, or with ``native`` as a value of Python."""
    from airlock.sdk.execution_time.environment import render

    value = render(template, context)
    return value if native else str(value)


def render_template_as_native(template: Any, context: Any) -> Any:
    """Returns a template of Jinja2, rendered as a value of Python."""
    return render_template(template, context, native=True)


def render_template_to_string(template: Any, context: Any) -> str:
    """Returns a template of Jinja2, rendered as text."""
    return str(render_template(template, context, native=False))


def context_merge(context: Any, *args: Any, **kwargs: Any) -> None:
    """Adds entries to a context, in place."""
    context.update(*args, **kwargs)
