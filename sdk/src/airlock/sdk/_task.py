"""Tasks: the `@task` decorator, the options it takes, and the task that calling the function makes."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, overload

import msgspec

from airlock.sdk._edges import Edges, connect
from airlock.sdk._names import near
from airlock.sdk._signature import check_call, signature_of
from airlock_wire import ids

if TYPE_CHECKING:
    from airlock.sdk._assets import BaseAsset
    from airlock.sdk._dag import DAG
    from airlock.sdk._xcom import XComArg


class TaskOptions(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a task can be told, and its defaults; times in seconds.

    ``multiple_outputs`` None: as the return annotation says (a dict is split). ``on_kill`` is called, without
    arguments, when the task is told to stop; without it the task's code gets TaskTerminated raised into it.
    ``inlets`` and ``outlets`` are the assets that the task reads and writes.
    """

    task_id: str | None = None
    retries: int = 0
    retry_delay: float = 300.0
    execution_timeout: float | None = None
    multiple_outputs: bool | None = None
    templates_dict: dict[str, Any] | None = None
    do_xcom_push: bool = True
    on_kill: Callable[[], Any] | None = None
    doc_md: str | None = None
    inlets: "tuple[BaseAsset, ...]" = ()
    outlets: "tuple[BaseAsset, ...]" = ()


_NAMES = TaskOptions.__struct_fields__


def checked(arguments: Mapping[str, Any], place: str) -> dict[str, Any]:
    """
    Options as the author wrote them, with times turned into seconds.

    ``place`` is what the message calls where they stand; TypeError for an unknown name or a value of a wrong type,
    ValueError for one that is out of range.
    """
    options = {}
    for name, value in arguments.items():
        if name not in _NAMES:
            raise TypeError(f"{place} has no option {name!r}; {near(name, _NAMES)}")
        options[name] = _CHECKS[name](value, f"{place}: {name}")
    return options


def _kind(*kinds: type, none: bool = True) -> Callable[[Any, str], Any]:
    def check(value: Any, place: str) -> Any:
        if (value is None and none) or isinstance(value, kinds):
            return value
        names = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{place} must be {names}, not {type(value).__name__}: {value!r}")

    return check


def _count(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{place} must be a whole number, not {type(value).__name__}: {value!r}")
    if value < 0:
        raise ValueError(f"{place} must be 0 or more, not {value}")
    return value


def _seconds(value: Any, place: str) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{place} must be a timedelta or a number of seconds, not {type(value).__name__}: {value!r}")
    if not 0 <= value < float("inf"):
        raise ValueError(f"{place} must be 0 seconds or more, not {value}")
    return float(value)


def _timeout(value: Any, place: str) -> float | None:
    if value is None:
        return None
    seconds = _seconds(value, place)
    if seconds == 0:
        raise ValueError(f"{place} of 0 would end the task before it starts; leave it out for no limit")
    return seconds


def _callable(value: Any, place: str) -> Any:
    if value is None or callable(value):
        return value
    raise TypeError(f"{place} must be a function, not {type(value).__name__}: {value!r}")


def _assets(value: Any, place: str) -> "tuple[BaseAsset, ...]":
    if value is None or value == ():
        return ()
    from airlock.sdk import _assets  # deferred: most tasks have none

    return _assets.checked(value, place)


def _task_id(value: Any, place: str) -> str | None:
    return None if value is None else check_id(value, place)


def check_id(value: Any, place: str) -> str:
    """Returns a value that can be an id of a DAG or task (``airlock_wire.ids``); raises TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError(f"{place} must be text, not {type(value).__name__}: {value!r}")
    if wrong := ids.problem(value):
        raise ValueError(f"{place} {value!r} {wrong}")
    return value


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "task_id": _task_id,
    "retries": _count,
    "retry_delay": _seconds,
    "execution_timeout": _timeout,
    "multiple_outputs": _kind(bool),
    "templates_dict": _kind(dict),
    "do_xcom_push": _kind(bool, none=False),
    "on_kill": _callable,
    "doc_md": _kind(str),
    "inlets": _assets,
    "outlets": _assets,
}


class Task(Edges):
    """One task of a DAG: a function, the arguments it will be called with, and its options."""

    def __init__(
        self,
        *,
        dag: "DAG",
        task_id: str,
        function: Callable[..., Any],
        op_args: tuple[Any, ...],
        op_kwargs: dict[str, Any],
        options: TaskOptions,
        written: frozenset[str] = frozenset(),
    ) -> None:
        """Made by calling a function that `@task` decorates; ``written`` are the options that its author gave."""
        self.dag = dag
        self.task_id = task_id
        self.function = function
        self.op_args = op_args
        self.op_kwargs = op_kwargs
        self.options = options
        self.written = written
        self.upstream_task_ids: set[str] = set()
        self.downstream_task_ids: set[str] = set()

    @property
    def dag_id(self) -> str:
        """The id of the task's DAG."""
        return self.dag.dag_id

    @property
    def retries(self) -> int:
        """How many tries may follow the first."""
        return self.options.retries

    @property
    def retry_delay(self) -> timedelta:
        """How long a retry waits."""
        return timedelta(seconds=self.options.retry_delay)

    @property
    def inlets(self) -> "tuple[BaseAsset, ...]":
        """The assets that it reads."""
        return self.options.inlets

    @property
    def outlets(self) -> "tuple[BaseAsset, ...]":
        """The assets that it writes."""
        return self.options.outlets

    @property
    def line(self) -> int:
        """The line on which the function is defined, 0 where that is unknown."""
        code = getattr(self.function, "__code__", None)
        return code.co_firstlineno if code is not None else 0

    @property
    def splits_output(self) -> bool:
        """Whether a returned dict is also pushed key by key."""
        if self.options.multiple_outputs is not None:
            return self.options.multiple_outputs
        returned = getattr(self.function, "__annotations__", {}).get("return")
        if isinstance(returned, str):
            return returned.lower().removeprefix("typing.").startswith("dict")
        return getattr(returned, "__origin__", returned) is dict

    def as_task(self) -> "Task":
        """Returns itself."""
        return self

    def __repr__(self) -> str:
        """Returns the task and its DAG."""
        return f"<Task {self.dag.dag_id}.{self.task_id}>"


class TaskFunction:
    """
    A function under `@task`. Calling it inside a DAG adds a task and gives its XComArg.

    ``function`` is the plain function, for unit tests; ``override(...)`` is the same task with other options.
    """

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        """``options`` are checked ones."""
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        self.__name__ = self.name
        self.__doc__ = function.__doc__
        self._options = dict(options)

    def __call__(self, *args: Any, **kwargs: Any) -> "XComArg":
        """
        Returns a task of the open DAG; TypeError for arguments the function does not take, RuntimeError outside a DAG.
        """
        from airlock.sdk._dag import open_dag  # deferred: the two modules need each other
        from airlock.sdk._xcom import XComArg, args_in

        dag = open_dag()
        if dag is None:
            raise RuntimeError(
                f"task {self.name!r} was called where no DAG is open; call it inside `with DAG(...):` or a @dag "
                f"function, or call {self.name}.function(...) to run it as a plain function"
            )
        check_call(self.name, signature_of(self.function), args, kwargs)
        fields = {**dag.task_defaults, **self._options}
        options = TaskOptions(**fields)
        task = Task(
            dag=dag,
            task_id=dag.free_task_id(options.task_id or self._id()),
            function=self.function,
            op_args=args,
            op_kwargs=kwargs,
            options=options,
            written=frozenset(fields),
        )
        upstream = [arg.task for arg in args_in([args, kwargs, options.templates_dict])]
        dag.add_task(task)
        for before in upstream:
            connect(before, task)
        return XComArg(task)

    def _id(self) -> str:
        if self.name.isidentifier():
            return self.name
        raise ValueError(
            f"@task: the function's name {self.name!r} cannot be a task id; give it one: @task(task_id=...)"
        )

    def override(self, **options: Any) -> "TaskFunction":
        """Returns the same task with these options changed."""
        return TaskFunction(self.function, {**self._options, **checked(options, f"{self.name}.override()")})

    def __repr__(self) -> str:
        """Returns the function's name."""
        return f"<@task {self.name}>"


@overload
def task(function: Callable[..., Any], /) -> TaskFunction: ...
@overload
def task(**options: Any) -> Callable[[Callable[..., Any]], TaskFunction]: ...
def task(
    function: Callable[..., Any] | None = None, /, **options: Any
) -> TaskFunction | Callable[[Callable[..., Any]], TaskFunction]:
    """
    Makes a function a task: ``@task``, or ``@task(retries=2, retry_delay=timedelta(minutes=1))``.

    The options are those of TaskOptions; times are timedeltas or seconds.
    """
    if function is not None and not callable(function):
        raise TypeError(f"@task goes on a function, and takes options by name only: @task(task_id={function!r})")
    checked_options = checked(options, "@task")
    return (
        TaskFunction(function, checked_options) if function is not None else lambda f: TaskFunction(f, checked_options)
    )
