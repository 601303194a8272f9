"""
How ``default_args`` reach an operator: of the task itself, of its group, of the groups around that, and of the DAG, the
nearest first. Every class of operators takes those that its own ``__init__`` names.
"""

from abc import ABCMeta
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from airlock.sdk._signature import Signature, signature_of
from airlock.sdk.definitions.graph import stack

if TYPE_CHECKING:
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup


def merged_defaults(
    dag: "DAG | None", group: "TaskGroup | None", params: Any, default_args: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Returns the default arguments and the params of a task, nearest first. Raises TypeError for what is not a mapping.
    """
    for name, value in (("params", params), ("default_args", default_args)):
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(f"{name} must be a mapping, got {type(value).__name__}")
    arguments = dict(dag.default_args) if dag is not None else {}
    merged = params_as_written(dag.params) if dag is not None and dag.params else {}
    if group is not None and group.default_args:
        arguments |= group.default_args
    if params:
        merged |= params_as_written(params)
    if default_args:
        arguments |= default_args
        merged |= params_as_written(default_args.get("params") or {})
    return arguments, merged


def params_as_written(params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns parameters by name: Param objects where the author wrote them, not their values."""
    get_param = getattr(params, "get_param", None)
    return {name: get_param(name) for name in params} if get_param is not None else dict(params)


def with_defaults(init: Callable[..., Any]) -> Callable[..., Any]:
    """Returns an operator's ``__init__`` that fills in the arguments it names from the default arguments."""
    signature: list[Signature] = []

    @wraps(init)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        if args:
            raise TypeError(f"Use keyword arguments when initializing operators: {type(self).__name__}(task_id=...)")
        if not signature:
            signature.append(signature_of(init))
        state = self.__dict__
        mapped = kwargs.pop("_airlock_from_mapped", state.get("_from_mapped", False))
        defaults = _filled(signature[0], kwargs)
        if missing := sorted(signature[0].required - kwargs.keys() - {"self"}):
            names = ", ".join(map(repr, missing))
            raise TypeError(
                f"missing keyword argument{'s' if len(missing) > 1 else ''} {names} of {type(self).__name__}"
            )
        hook = getattr(self, "_hook_apply_defaults", None)
        if hook is not None:
            _, kwargs = hook(**kwargs, default_args=defaults)
            defaults = kwargs.pop("default_args", {})
        state["_from_mapped"] = mapped
        state.setdefault("_init_kwargs", {})
        init(self, **kwargs, default_args=defaults)
        state["_init_kwargs"].update(kwargs)
        if not mapped and getattr(type(self).__init__, "__wrapped__", None) is init:
            self.note_xcom_arguments()

    return construct


def _filled(signature: Signature, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Adds the open DAG and group, the defaults that are named and the params to ``kwargs``; returns the defaults."""
    dag, group = kwargs.get("dag"), kwargs.get("task_group")
    if dag is None:
        dag = stack.open_dag()
    if dag is not None:
        kwargs["dag"] = dag
        if group is None:
            group = stack.open_group(dag)
    if group is not None:
        kwargs["task_group"] = group
    defaults, params = merged_defaults(dag, group, kwargs.pop("params", None), kwargs.pop("default_args", None))
    if defaults:
        kwargs |= {name: defaults[name] for name in signature.by_name if name in defaults and name not in kwargs}
    if params:
        kwargs["params"] = params
    return defaults


class OperatorMeta(ABCMeta):
    """Makes every class of operators take default arguments, and guards ``execute`` of one inside another."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        """Makes the class."""
        if "__init__" in namespace:
            namespace["__init__"] = with_defaults(namespace["__init__"])
        return super().__new__(mcs, name, bases, namespace, **kwargs)
