"""
Tasks that are functions: ``@task`` and its variants. Calling the decorated function inside a DAG makes the task.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from airlock.sdk._names import near
from airlock.sdk._signature import Signature, check_call, signature_of, with_context
from airlock.sdk.bases import options
from airlock.sdk.bases.arguments import known_arguments
from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.basis.rules import TriggerRule
from airlock.sdk.definitions.context import CONTEXT_NAMES
from airlock.sdk.definitions.graph import stack
from airlock.sdk.definitions.xcom_arg import XComArg


class DecoratedOperator(BaseOperator):
    """A task that is a function with the arguments it will be called with. A subclass runs it in ``execute``."""

    template_fields: Collection[str] = ("op_args", "op_kwargs")
    template_fields_renderers = {"op_args": "py", "op_kwargs": "py"}  # noqa: RUF012 - Airflow's form
    shallow_copy_attrs: Sequence[str] = ("python_callable",)
    custom_operator_name = "@task"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        task_id: str,
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        kwargs_to_upstream: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises TypeError for arguments that the function does not take."""
        if not self._from_mapped:
            task_id = get_unique_task_id(task_id, kwargs.get("dag"), kwargs.get("task_group"))
        self.python_callable = python_callable
        op_args, op_kwargs = tuple(op_args or ()), dict(op_kwargs or {})
        name = getattr(python_callable, "__name__", type(python_callable).__name__)
        signature = signature_of(python_callable)
        check_context_defaults(signature)
        if not kwargs.get("_airlock_mapped_validation_only"):
            check_call(name, signature, op_args, op_kwargs)
        self.op_args: Any = op_args
        self.op_kwargs: dict[str, Any] = op_kwargs
        super().__init__(task_id=task_id, **(kwargs_to_upstream or {}), **kwargs)

    def _hook_apply_defaults(self, *args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Fills in arguments of the function that the default arguments name."""
        function, defaults = kwargs.get("python_callable"), kwargs.get("default_args") or {}
        if function is not None and defaults:
            op_kwargs = dict(kwargs.get("op_kwargs") or {})
            signature = signature_of(function)
            given = set(signature.by_position[: len(kwargs.get("op_args") or ())]) | op_kwargs.keys()
            for name in signature.by_name:
                if name in defaults and name not in given:
                    op_kwargs[name] = defaults[name]
            kwargs["op_kwargs"] = op_kwargs
        return args, kwargs

    @property
    def is_async(self) -> bool:
        """Tells whether the function is a coroutine function."""
        return is_async_callable(self.python_callable)

    def execute(self, context: Any) -> Any:
        """Does what the operator does with the function's answer; assets in it become outlets."""
        return self.note_assets(context, super().execute(context))

    def call_kwargs(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the keyword arguments of the call: the author's, and of the context what the function names."""
        return with_context(signature_of(self.python_callable), self.op_args, self.op_kwargs, context)

    def note_assets(self, context: Mapping[str, Any], value: Any = None) -> Any:
        """Makes assets among the arguments inlets, and assets that it returned outlets; returns the value."""
        del context
        arguments = (*self.op_args, *self.op_kwargs.values())
        if arguments or value is not None:
            self.inlets.extend(each for each in arguments if _is_asset(each))
            self.outlets.extend(each for each in (value if isinstance(value, list) else [value]) if _is_asset(each))
        return value

    def get_python_source(self) -> str:
        """Returns the function's source without its decorator."""
        from airlock.sdk.basis.source import source_of

        source: str = source_of(self.python_callable, self.custom_operator_name)
        return source


class TaskFunction:
    """
    A function under `@task`. Calling it inside a DAG adds a task and gives its XComArg.

    ``function`` is the plain function, for unit tests; ``override(...)`` is the same task with other options;
    ``partial(...)`` and ``expand(...)`` map it.
    """

    is_task_decorator = True

    def __init__(
        self,
        function: Callable[..., Any],
        operator_class: type[BaseOperator],
        kwargs: Mapping[str, Any],
        *,
        multiple_outputs: bool | None = None,
        decorator_name: str = "task",
    ) -> None:
        """Raises TypeError for options that the kind of task does not have, and for methods."""
        self.function = function
        self.operator_class = operator_class
        self.kwargs = dict(kwargs)
        self.decorator_name = decorator_name
        self.is_setup = self.is_teardown = self.returns_dag_result = False
        self.on_failure_fail_dagrun = False
        name = getattr(function, "__name__", type(function).__name__)
        self.__name__, self.__doc__, self.__module__ = name, function.__doc__, getattr(function, "__module__", "")
        self.__wrapped__ = function
        self._signature = signature_of(function)
        if "self" in self._signature.by_name:
            raise TypeError(f"@{decorator_name} does not support methods: {name}() has a parameter named self")
        _check_options(self.operator_class, self.kwargs, f"@{decorator_name}")
        self.multiple_outputs = _returns_mapping(function) if multiple_outputs is None else multiple_outputs

    def _task_id(self) -> str:
        if "task_id" in self.kwargs:
            return str(self.kwargs["task_id"])
        if not self.__name__.isidentifier():
            raise ValueError(
                f"@{self.decorator_name}: the function's name {self.__name__!r} cannot be a task id; give it one: "
                f"@{self.decorator_name}(task_id=...)"
            )
        return self.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> XComArg:
        """
        Returns a task of the open DAG; TypeError for arguments the function does not take, RuntimeError outside a DAG.
        """
        fixed = self._fixed()
        if fixed.get("dag") is None and stack.open_dag() is None and fixed.get("task_group") is None:
            name = self.__name__
            raise RuntimeError(
                f"task {name!r} was called where no DAG is open; call it inside `with DAG(...):` or a @dag "
                f"function, or call {name}.function(...) to run it as a plain function"
            )
        operator = self.operator_class(
            python_callable=self.function,
            task_id=self._task_id(),
            op_args=args,
            op_kwargs=kwargs,
            multiple_outputs=self.multiple_outputs,
            **fixed,
        )
        self._mark(operator)
        if self.function.__doc__ and not any(
            (operator.doc, operator.doc_json, operator.doc_md, operator.doc_rst, operator.doc_yaml)
        ):
            operator.doc_md = self.function.__doc__
        return XComArg(operator)

    def _fixed(self) -> dict[str, Any]:
        fixed = {
            name: value for name, value in self.kwargs.items() if name not in ("task_id", "on_failure_fail_dagrun")
        }
        if self.is_teardown:
            if "trigger_rule" in self.kwargs:
                raise ValueError("Trigger rule not configurable for teardown tasks.")
            fixed["trigger_rule"] = TriggerRule.ALL_DONE_SETUP_SUCCESS
        return fixed

    def _mark(self, operator: Any) -> None:
        operator.is_setup = self.is_setup
        operator.is_teardown = self.is_teardown
        operator.on_failure_fail_dagrun = self.kwargs.get("on_failure_fail_dagrun", self.on_failure_fail_dagrun)
        operator.returns_dag_result = self.returns_dag_result

    def override(self, **kwargs: Any) -> "TaskFunction":
        """Returns the same task with these options changed."""
        return self._with({**self.kwargs, **kwargs}, kwargs.pop("multiple_outputs", self.multiple_outputs))

    def partial(self, **kwargs: Any) -> "TaskFunction":
        """Returns the task with arguments of its function fixed; ``expand`` it over others."""
        self._check_mapped("partial", kwargs)
        fixed = dict(self.kwargs.get("op_kwargs") or {})
        from airlock.sdk.definitions.mapping.expansion import prevent_duplicates

        prevent_duplicates(fixed, kwargs, fail_reason="duplicate partial")
        other = self._with(self.kwargs, self.multiple_outputs)
        other.kwargs["op_kwargs"] = {**fixed, **kwargs}
        return other

    def _with(self, kwargs: Mapping[str, Any], multiple_outputs: bool) -> "TaskFunction":
        kwargs = {name: value for name, value in kwargs.items() if name != "multiple_outputs"}
        op_kwargs = kwargs.pop("op_kwargs", None)
        other = type(self)(
            self.function,
            self.operator_class,
            kwargs,
            multiple_outputs=multiple_outputs,
            decorator_name=self.decorator_name,
        )
        if op_kwargs is not None:
            other.kwargs["op_kwargs"] = op_kwargs
        for name in ("is_setup", "is_teardown", "returns_dag_result", "on_failure_fail_dagrun"):
            setattr(other, name, getattr(self, name))
        return other

    def expand(self, **map_kwargs: Any) -> XComArg:
        """Returns the task, mapped over the cross product of lists, dicts or XComs."""
        from airlock.sdk.definitions.mapping import functions

        return functions.expand(self, map_kwargs)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> XComArg:
        """Returns the task, mapped over a list of dicts of arguments."""
        from airlock.sdk.definitions.mapping import functions

        return functions.expand_kwargs(self, kwargs, strict=strict)

    def _check_mapped(self, function: str, kwargs: Mapping[str, Any]) -> None:
        check_mapped_names(self._signature, self.__name__, function, kwargs)

    def __repr__(self) -> str:
        """Returns the function's name."""
        return f"<@{self.decorator_name} {self.__name__}>"


#: Airflow's name of a function under a decorator of tasks.
TaskDecorator = TaskFunction


def task_decorator_factory(
    python_callable: Callable[..., Any] | None = None,
    *,
    multiple_outputs: bool | None = None,
    decorated_operator_class: type[BaseOperator],
    **kwargs: Any,
) -> Any:
    """
    Returns what ``@task`` gives for a function, or, without one, the decorator with these options. For decorators of
    others' kinds of tasks.
    """
    name = str(getattr(decorated_operator_class, "custom_operator_name", "@task")).removeprefix("@")
    if python_callable is not None and not callable(python_callable):
        raise TypeError(
            f"@{name} goes on a function, and takes options by name only: @{name}(task_id={python_callable!r})"
        )
    if python_callable is not None:
        return TaskFunction(
            python_callable, decorated_operator_class, kwargs, multiple_outputs=multiple_outputs, decorator_name=name
        )
    _check_options(decorated_operator_class, kwargs, f"@{name}")
    return lambda function: task_decorator_factory(
        function, multiple_outputs=multiple_outputs, decorated_operator_class=decorated_operator_class, **kwargs
    )


def get_unique_task_id(task_id: str, dag: Any = None, group: Any = None) -> str:
    """Returns the id, or ``id__1``, ``id__2``, ... when the DAG has it already."""
    dag = dag if dag is not None else stack.open_dag()
    if dag is None:
        return task_id
    group = group if group is not None else stack.open_group(dag)
    base, number = task_id, 0
    while (group.child_id(task_id) if group is not None else task_id) in dag.task_dict:
        number += 1
        task_id = f"{base}__{number}"
    return task_id


def check_context_defaults(signature: Signature) -> None:
    """Refuses a parameter with a context name whose default is not None: the context would always win."""
    for name in signature.valued:
        if name in CONTEXT_NAMES:
            raise ValueError(f"Context key parameter {name} can't have a default other than None")


def check_mapped_names(signature: Signature, name: str, function: str, kwargs: Mapping[str, Any]) -> None:
    """Raises for an argument that the function does not take, that the context gives, or that cannot be mapped."""
    from airlock.sdk.definitions.mapping.expansion import is_mappable

    for key, value in kwargs.items():
        if key in CONTEXT_NAMES and key not in signature.by_name:
            raise ValueError(f"cannot call {function}() on task context variable {key!r}")
        if key not in signature.by_name and not signature.any_name:
            raise TypeError(
                f"{function}() got an unexpected keyword argument {key!r} for {name}(); {near(key, signature.by_name)}"
            )
        if key in CONTEXT_NAMES:
            raise ValueError(f"cannot call {function}() on task context variable {key!r}")
        if function == "expand" and not is_mappable(value):
            raise ValueError(
                f"expand() got an unexpected type {type(value).__name__!r} for keyword argument {key!r}; give it a "
                "list, a dict or the output of a task"
            )


def is_async_callable(function: Any) -> bool:
    """Tells whether calling the function gives a coroutine; looks through partials and wrappers."""
    while True:
        inner = getattr(function, "func", None) if type(function).__name__ == "partial" else None
        inner = inner or getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(getattr(type(function), "__call__", None), "__code__", None)  # noqa: B004 - its code is wanted
    return code is not None and bool(code.co_flags & _COROUTINE)


#: What Python sets on the code of an ``async def`` (inspect.CO_COROUTINE).
_COROUTINE = 0x80


def _check_options(operator_class: type, kwargs: Mapping[str, Any], place: str) -> None:
    known = known_arguments(operator_class) | {"multiple_outputs", "on_failure_fail_dagrun"}
    for name in kwargs:
        if name not in known:
            raise TypeError(f"{place} has no option {name!r}; {near(name, known - {'python_callable', 'kwargs'})}")
    options.check_types(kwargs, place)
    if kwargs.get("task_id") is not None:
        options.checked_id(kwargs["task_id"], f"{place}: task_id")
    for name, convert in options.CONVERTERS.items():
        if name in kwargs:
            convert(kwargs[name], f"{place}: {name}")
    on_kill = kwargs.get("on_kill")
    if on_kill is not None and not callable(on_kill):
        raise TypeError(f"{place}: on_kill must be a function, not {type(on_kill).__name__}: {on_kill!r}")
    for name in ("inlets", "outlets"):
        if name in kwargs:
            options.assets(kwargs[name], f"{place}: {name}")


def _returns_mapping(function: Callable[..., Any]) -> bool:
    """Tells whether the return annotation is a kind of dict."""
    returned = getattr(function, "__annotations__", {}).get("return")
    if returned is None:
        return False
    if isinstance(returned, str):
        name = returned.partition("[")[0].strip().rpartition(".")[2]
        if name in ("dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict"):
            return True
        returned = getattr(function, "__globals__", {}).get(name)
    kind = getattr(returned, "__origin__", returned)
    return isinstance(kind, type) and issubclass(kind, Mapping)


def _is_asset(value: Any) -> bool:
    return type(value).__name__ == "Asset" and type(value).__module__.startswith("airlock.sdk")
