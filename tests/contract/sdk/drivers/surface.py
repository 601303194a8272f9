"""
Says what a package's public names are like: the same program for Airflow's SDK and for ours.

Arguments: the package. Standard input: a JSON list of names, or null for all. Standard output: by name the signature of
its call, and of each public method of a class. A parameter is its kind, and the form of its default.
"""

import enum
import importlib
import inspect
import json
import sys
import warnings

KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "/",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.KEYWORD_ONLY: "key",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def form(value):
    """A default in words that both packages share."""
    if value is inspect.Parameter.empty:
        return "required"
    if type(value).__name__ == "_Nothing":
        return "made at the call"
    if isinstance(value, enum.Enum):
        return repr(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, list | tuple | set | frozenset | dict):
        return f"{type(value).__name__} {sorted(map(str, value))}"
    if isinstance(value, type) or inspect.isroutine(value):
        return "a class or function"
    text = str(value)
    return text if type(value).__module__ == "datetime" else "an object"


def signature(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return {each.name: [KINDS[each.kind], form(each.default)] for each in parameters if not each.name.startswith("_")}


def members(kind, public):
    """The signatures of a class's own public methods: those of another public class stand there."""
    inherited = {name for of in kind.__mro__[1:] if of in public for name in dir(of)}
    listed = {}
    for name in sorted(dir(kind)):
        if name.startswith("_") or name in inherited:
            continue
        value = inspect.getattr_static(kind, name)
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        if inspect.isfunction(value) and value.__module__.partition(".")[0] in ("airflow", "airlock"):
            own = signature(value) or {}
            first = next(iter(own), "")
            listed[name] = {key: each for key, each in own.items() if key != first or key not in ("self", "cls", "dag")}
    return listed


def describe(value, public):
    if not callable(value):
        return {"call": None, "members": {}}
    is_plain = isinstance(value, type) and not issubclass(value, enum.Enum | BaseException)
    return {"call": signature(value), "members": members(value, public) if is_plain else {}}


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    package = importlib.import_module(sys.argv[1])
    names = json.load(sys.stdin) or sorted(set(package.__all__) - {"__version__"})
    values = {name: getattr(package, name) for name in names if hasattr(package, name)}
public = {value for value in values.values() if isinstance(value, type)}
answer = {name: describe(value, public) for name, value in values.items()}
print("\n" + json.dumps(answer))
