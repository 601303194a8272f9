"""
Runs in Airflow's environment, with ours beside it: tries both in one process.

Standard input: {"paths": folders of ours, "signatures": [[their module, their name, our module, our name]], "cases":
[[their imports, our imports, expression]]}. Standard output: {"signatures": [[theirs, ours]], "cases": [[theirs, ours]]}.
A signature is null for what has none. A case is {"value": ...} or {"raises": the names of its built-in bases}.
"""

import importlib
import inspect
import json
import sys
import warnings
from enum import Enum

given = json.load(sys.stdin)
sys.path[:0] = given["paths"]


def plain(value):
    """A value of a case as JSON, the same for what is theirs and what is ours."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, type):
        return value.__name__
    return repr(value)


def default(value):
    """What a parameter's default comes to. A default that is made anew for each call has no value here."""
    if value is inspect.Parameter.empty:
        return "required"
    if type(value).__name__ in ("_Nothing", "ArgNotSet", "Unset", "Factory") or type(value) is object:
        return "unset"
    return plain(value)


def signature(module, name):
    thing = importlib.import_module(module)
    for part in name.split("."):
        thing = getattr(thing, part)
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[each.name, each.kind.name, default(each.default)] for each in parameters]


def case(imports, expression):
    space = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(imports, space)
        try:
            value = {"value": plain(eval(expression, space))}
        except Exception as error:
            bases = [each.__name__ for each in type(error).__mro__ if each.__module__ == "builtins"]
            value = {"raises": bases[0], "text": str(error)}
        except BaseException as error:
            value = {"raises": "BaseException", "text": str(error)}
    ours = [each.category.__name__ for each in caught if "eprecat" not in each.category.__name__]
    return {**value, "warns": ours}


out = {
    "signatures": [[signature(*row[:2]), signature(*row[2:])] for row in given.get("signatures", [])],
    "cases": [
        [case(theirs, expression), case(ours, expression)] for theirs, ours, expression in given.get("cases", [])
    ],
}
# Airflow may print as it is imported.
print("\n" + json.dumps(out))
