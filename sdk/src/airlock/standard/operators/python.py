"""Tasks that call a function of the author, and what branches or skips by its answer."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from airlock.sdk._signature import signature_of, with_context
from airlock.sdk.bases.branch import BaseBranchOperator
from airlock.sdk.bases.decorator import is_async_callable
from airlock.sdk.bases.operator import BaseAsyncOperator
from airlock.sdk.bases.skipmixin import SkipMixin
from airlock.sdk.exceptions import AirlockException
from airlock.sdk.execution_time import log

_LOGGER = "airlock.task.operators.python"
_SHOWN_CHARS = 1000
_SHOWN_ITEMS = 20
#: What Python sets on the code of a function that yields (inspect.CO_GENERATOR).
_GENERATOR = 0x20


class PythonOperator(BaseAsyncOperator):
    """
    Calls ``python_callable(*op_args, **op_kwargs)``. Parameters with names of the context get their entries.

    ``templates_dict`` is rendered and is an entry of the context. A function that yields Metadata of its outlets tells
    their events so. With ``show_return_value_in_logs=False`` the log does not have the value.
    """

    template_fields: Collection[str] = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers = {"templates_dict": "json", "op_args": "py", "op_kwargs": "py"}  # noqa: RUF012 - Airflow's form
    ui_color = "#ffefeb"
    shallow_copy_attrs: Sequence[str] = ("python_callable", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        templates_dict: dict[str, Any] | None = None,
        templates_exts: Sequence[str] | None = None,
        show_return_value_in_logs: bool = True,
        **kwargs: Any,
    ) -> None:
        """Raises AirlockException for what cannot be called."""
        super().__init__(**kwargs)
        if not callable(python_callable):
            raise AirlockException(
                f"task {self.task_id!r}: `python_callable` param must be callable, not {python_callable!r}"
            )
        self.python_callable = python_callable
        self.op_args: Any = op_args or ()
        self.op_kwargs: Any = op_kwargs or {}
        self.templates_dict = templates_dict
        if templates_exts:
            self.template_ext = templates_exts
        self.show_return_value_in_logs = show_return_value_in_logs

    @property
    def is_async(self) -> bool:
        """Tells whether the function is a coroutine function."""
        return is_async_callable(self.python_callable)

    def execute(self, context: Any) -> Any:
        """Calls the function; returns what it returned."""
        if self.is_async:
            return super().execute(context)
        self._prepare(context)
        value = self.execute_callable()
        code = getattr(self.python_callable, "__code__", None)
        if code is not None and code.co_flags & _GENERATOR:
            value = _drained(value, context)
        return self._shown(value)

    async def aexecute(self, context: Any) -> Any:
        """Awaits the coroutine of the function; returns what it returned."""
        self._prepare(context)
        return self._shown(await self.python_callable(*self.op_args, **self.op_kwargs))

    def execute_callable(self) -> Any:
        """Calls the function with its arguments. A subclass may run it elsewhere."""
        return self.python_callable(*self.op_args, **self.op_kwargs)

    def _prepare(self, context: Any) -> None:
        context["templates_dict"] = self.templates_dict
        self.op_kwargs = self.determine_kwargs(context)

    def determine_kwargs(self, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the keyword arguments of the call: the author's, and of the context what the function names."""
        return with_context(signature_of(self.python_callable), self.op_args, self.op_kwargs, context)

    def _shown(self, value: Any) -> Any:
        if not self.show_return_value_in_logs:
            log.line("info", "Done. Returned value not shown", _LOGGER)
        elif value is not None:
            log.line("info", f"Done. Returned value was: {_short(value)}", _LOGGER)
        return value


class BranchPythonOperator(BaseBranchOperator, PythonOperator):
    """Follows the tasks or groups whose ids the function returns; the others directly after it are skipped."""

    def choose_branch(self, context: Any) -> str | Iterable[str] | None:
        """Returns what the function returned."""
        chosen: str | Iterable[str] | None = PythonOperator.execute(self, context)
        return chosen


class ShortCircuitOperator(PythonOperator, SkipMixin):
    """
    Skips everything after it if the function returns something false: with ``ignore_downstream_trigger_rules`` (the
    default) at any distance, else directly after it, and trigger rules decide the rest.
    """

    def __init__(self, *, ignore_downstream_trigger_rules: bool = True, **kwargs: Any) -> None:
        """Takes the arguments of PythonOperator, too."""
        super().__init__(**kwargs)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules

    def execute(self, context: Any) -> Any:
        """Calls the function; returns what it returned, if that lets the others run."""
        condition = super().execute(context)
        log.line("info", f"Condition result is {condition}", _LOGGER)
        if condition:
            log.line("info", "Proceeding with downstream tasks...", _LOGGER)
            return condition
        if not self.downstream_task_ids:
            log.line("info", "No downstream tasks; nothing to do.", _LOGGER)
            return condition
        task = context["task"]
        after = (
            task.get_flat_relatives(upstream=False)
            if self.ignore_downstream_trigger_rules
            else task.get_direct_relatives(upstream=False)
        )
        log.line("info", "Skipping downstream tasks", _LOGGER)
        self.skip(ti=context["ti"], tasks=[each for each in after if not each.is_teardown])
        return condition


def _short(value: Any) -> str:
    """Returns a value for the log. It is cut: a value of megabytes would take longer to write than to make."""
    if isinstance(value, bool | int | float):
        return str(value)
    import reprlib  # deferred: many tasks return nothing

    cut = reprlib.Repr()
    cut.maxstring = cut.maxother = _SHOWN_CHARS
    cut.maxlist = cut.maxtuple = cut.maxdict = cut.maxset = _SHOWN_ITEMS
    if isinstance(value, str):
        return value if len(value) <= _SHOWN_CHARS else f"{value[:_SHOWN_CHARS]}…"
    return cut.repr(value)


def get_current_context() -> Any:
    """Returns the context of the task that runs in this process."""
    from airlock.sdk.definitions.context import get_current_context as current

    return current()


def _drained(generator: Any, context: Mapping[str, Any]) -> Any:
    """Goes through what a function yields of its outlets; returns what it returned."""
    from airlock.sdk.definitions.asset import Metadata

    while True:
        try:
            metadata = next(generator)
        except StopIteration as e:
            return e.value
        if not isinstance(metadata, Metadata):
            text = (
                f"The task yielded {metadata!r:.200}, which is ignored: a task returns its value, and yields Metadata"
            )
            log.line("warning", text, _LOGGER)
            continue
        if not context["task"].outlets:
            text = (
                f"The task yielded {metadata!r:.200}, which is ignored: it has no outlets; name the asset in outlets="
            )
            log.line("warning", text, _LOGGER)
            continue
        events = context["outlet_events"]
        if metadata.alias is None:
            events[metadata.asset].extra.update(metadata.extra)
        else:
            events[metadata.alias].add(metadata.asset, metadata.extra)
