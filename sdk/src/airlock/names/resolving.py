"""What a name of Airflow stands for, by the tables: pure but for the imports that it makes."""

from importlib import import_module
from typing import Any

from airlock.names.lacking import VENDORS, instead_of, of_provider
from airlock.names.moved import MOVED, WARNS_ON_IMPORT
from airlock.names.table import ELSEWHERE, MODULES

#: Every module of the tables, and the packages above them.
_KNOWN = frozenset(
    ".".join(parts[:length])
    for parts in (module.split(".") for module in {*MODULES, *MOVED, *WARNS_ON_IMPORT})
    for length in range(1, len(parts) + 1)
) | {f"airflow.providers.{vendor}" for vendor in VENDORS}


def is_package(name: str) -> bool:
    """Tells whether there are modules below a module."""
    return any(each.startswith(f"{name}.") for each in _KNOWN) or name.startswith("airflow.providers.")


def missing_module(name: str) -> str:
    """Returns why there is no such module of Airflow here; empty if there is one."""
    if name in _KNOWN:
        return ""
    if name.startswith("airflow.providers.standard."):
        return f"Airlock has no module {name!r}: it is not one of the standard provider's that DAG files import"
    if name.startswith("airflow.providers."):
        return of_provider(name)
    instead = instead_of(name) or "it is not a module that DAG files import, as far as Airlock knows"
    return f"Airlock has no module {name!r}: {instead}"


def lookup(module: str, name: str) -> tuple[tuple[Any] | None, str]:
    """
    Returns what a name of a module of Airflow stands for, in a tuple, and its new path if the name moved.

    The first is None for a name that we lack.
    """
    moved = MOVED.get(module, {})
    if name in moved or ("*" in moved and not name.startswith("_")):
        new = moved.get(name) or f"{moved['*']}.{name}"
        return _at(new), new
    for ours in MODULES.get(module, "").split():
        for spelling in _spellings(name):
            if value := _attribute(ours, spelling):
                return value, ""
    if name in ELSEWHERE.get(module, {}):
        return _at(ELSEWHERE[module][name]), ""
    return None, ""


def _spellings(name: str) -> tuple[str, ...]:
    rest = name.removeprefix("Airflow")
    return (name,) if rest == name else (name, f"Airlock{rest}")


def _at(path: str) -> tuple[Any] | None:
    """Returns what a path stands for, be it Airflow's or ours, a name or a module."""
    module, _, name = path.rpartition(".")
    if path.startswith("airflow."):
        if path in MODULES and not missing_module(path):
            return (import_module(path),)
        value, _ = lookup(module, name)
        if value is None and module.count("."):
            # A name of a class: airflow.sdk.bases.xcom.BaseXCom.XCOM_RETURN_KEY.
            owner = _at(module) if module not in MODULES else None
            return (getattr(owner[0], name),) if owner and hasattr(owner[0], name) else None
        return value
    return _attribute(module, name) or _module(path)


def _module(path: str) -> tuple[Any] | None:
    """Returns a module of ours; None for one that is absent. An error inside of the module is raised."""
    try:
        return (import_module(path),)
    except ModuleNotFoundError as error:
        if error.name and (path == error.name or path.startswith(f"{error.name}.")):
            return None
        raise


def _attribute(module: str, name: str) -> tuple[Any] | None:
    loaded = _module(module)
    if loaded is None:
        return None
    try:
        return (getattr(loaded[0], name),)
    except AttributeError:
        return None


def refusal(module: str, name: str) -> str:
    """Returns why a name is not here, and what to use instead."""
    path = f"{module}.{name}"
    moved = MOVED.get(module, {}).get(name, "")
    if moved.startswith("airflow.providers.") and not moved.startswith("airflow.providers.standard."):
        return f"Airlock has no {path}: {of_provider(moved.rpartition('.')[0])}"
    if instead := instead_of(path):
        return f"Airlock has no {path}: {instead}"
    import difflib

    names = names_of(module)
    if name in names or module.startswith("airflow.providers."):
        return f"Airlock has no {path}: this release does not have it yet"
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "it may be a name of Airflow that this release does not have yet"
    return f"Airlock has no {path}; {hint}"


def names_of(module: str) -> set[str]:
    """Returns the names that the tables list for a module of Airflow."""
    names = {name for name in (*MOVED.get(module, {}), *ELSEWHERE.get(module, {})) if name != "*"}
    for ours in MODULES.get(module, "").split():
        if loaded := _module(ours):
            names |= {name for name in getattr(loaded[0], "__all__", dir(loaded[0])) if not name.startswith("_")}
    return names
