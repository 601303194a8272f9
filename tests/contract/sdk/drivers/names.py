"""
Runs in Airflow's environment: which names its modules have, and which of them warn.

Standard input: a JSON list of modules. Standard output: {"all": the names of airflow.sdk, "moved": {module: {name: new
path}} of the modules that only warn, "names": {module: its public names}, "warns": {path: category}}. A
category is "broken" for a name that Airflow lists and cannot import itself, for example because its provider is absent.
"""

import functools
import importlib
import json
import sys
import typing
import warnings

given = json.load(sys.stdin)
PACKAGES = [
    "airflow",
    "airflow.decorators",
    "airflow.hooks",
    "airflow.io",
    "airflow.lineage",
    "airflow.macros",
    "airflow.models",
    "airflow.notifications",
    "airflow.operators",
    "airflow.secrets",
    "airflow.sensors",
    "airflow.serialization",
    "airflow.triggers",
    "airflow.utils",
]


def public(module):
    """The names that a module is for: those it declares, or those that it defines."""
    declared = getattr(module, "__all__", None)
    if declared is not None:
        return sorted(name for name in declared if not name.startswith("_"))
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
        and not isinstance(value, typing.TypeVar | typing.ParamSpec)
    )


def category(module, name):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            getattr(module, name)
        except (ImportError, AttributeError):
            return "broken"
    kinds = [kind for kind in (each.category for each in caught) if kind.__name__ == "DeprecatedImportWarning"]
    return [each.__name__ for each in kinds[0].__mro__[:3]] if kinds else None


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    # Airflow finds this one only when it was imported.
    importlib.import_module("airflow.sdk.lineage")
    for package in PACKAGES:
        importlib.import_module(package)
    moved = {}
    for path, module in sorted(sys.modules.items()):
        ask = getattr(module, "__dict__", {}).get("__getattr__")
        if path.startswith("airflow") and isinstance(ask, functools.partial):
            moved[path] = next(each for each in (*ask.args, *ask.keywords.values()) if isinstance(each, dict))
    modules = {path: importlib.import_module(path) for path in given}
    names = {path: public(module) for path, module in modules.items()}
    models = importlib.import_module("airflow.models")
    names["airflow.models"] = sorted(getattr(models, "__lazy_imports", None) or models.__dict__["__lazy_imports"])
    names["airflow.exceptions"] = sorted(
        {*names["airflow.exceptions"], *vars(importlib.import_module("airflow.exceptions"))["_DEPRECATED_EXCEPTIONS"]}
    )
    modules["airflow"] = importlib.import_module("airflow")
    names["airflow"] = ["AirflowException", "Asset", "DAG", "Dataset", "XComArg"]

warns = {}
for path in sorted({*names, *moved}):
    module = sys.modules[path]
    for name in sorted({*names.get(path, []), *moved.get(path, {})} - {"*"}):
        if kind := category(module, name):
            warns[f"{path}.{name}"] = kind
sdk = importlib.import_module("airflow.sdk")
print(
    "\n"
    + json.dumps({"all": sorted(set(sdk.__all__) - {"__version__"}), "moved": moved, "names": names, "warns": warns})
)
