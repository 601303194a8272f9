"""The arguments of a class of operators: which ones it takes, and what some are turned into."""

from collections.abc import Mapping
from typing import Any

from airlock.sdk._names import near
from airlock.sdk._signature import signature_of


def params_of(params: Mapping[str, Any] | None) -> Any:
    """Returns parameters as a ParamsDict; without any an empty plain dict, which needs no import."""
    if not params:
        return {}
    from airlock.sdk.definitions.param import ParamsDict

    return params if isinstance(params, ParamsDict) else ParamsDict(params)


def known_arguments(operator_class: type) -> set[str]:
    """Returns the names that ``__init__`` of a class of operators, and of the classes it derives from, takes."""
    names: set[str] = set()
    for each in operator_class.__mro__:
        if "__init__" in vars(each) and each is not object:
            init = vars(each)["__init__"]
            signature = signature_of(getattr(init, "__wrapped__", init))
            names |= set(signature.by_name) - {"self"}
            if not signature.any_name:
                break
    return names


def unknown_arguments(operator_class: type, kwargs: Mapping[str, Any], task_id: Any) -> str:
    """Returns the message about arguments that a class of operators does not take, with the nearest name."""
    name = min(kwargs)
    return (
        f"Invalid arguments were passed to {operator_class.__name__} (task_id: {task_id}): it has no option {name!r}; "
        f"{near(name, known_arguments(operator_class))}"
    )


def warn(text: str) -> None:
    """Warns the author of a DAG file, at the line that makes the task."""
    import warnings

    warnings.warn(text, UserWarning, stacklevel=4)
