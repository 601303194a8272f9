"""
The finder that makes Airflow's modules of ours, and the modules that it makes.

A module is made when it is imported, and it imports nothing. Each name is looked up when a DAG file asks for it.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final, cast

#: The release of Airflow whose names these are.
VERSION: Final = "3.3.2"
SDK_VERSION: Final = "1.3.2"


class _Module(ModuleType):
    """A module of Airflow, whose names are ours."""

    def __getattr__(self, name: str) -> Any:
        """Returns what a name stands for; raises AttributeError, or ImportError for ``from ... import``."""
        # Both are imported here: a process that imports none of Airflow's names pays for neither.
        from airlock.names.resolving import lookup, refusal

        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        path = f"{self.__name__}.{name}"
        value, moved_to = lookup(self.__name__, name)
        if value is None:
            text = refusal(self.__name__, name)
            raise (ImportError(text, name=self.__name__) if _is_from_import() else AttributeError(text))
        if moved_to:
            from airlock.names.deprecation import warn

            warn(path, moved_to, depth=2)
            return value[0]
        setattr(self, name, value[0])
        return value[0]

    def __dir__(self) -> list[str]:
        """Returns the names that the table has."""
        from airlock.names.resolving import names_of

        return sorted({*super().__dir__(), *names_of(self.__name__)})


def _is_from_import() -> bool:
    """
    Tells whether ``from ... import`` asks for a name.

    Python turns an AttributeError of such a statement into a message of its own, and ours would be lost.
    """
    from opcode import opmap

    frame = sys._getframe(2)  # noqa: SLF001 - the one way to know the statement
    return frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]


class _Finder:
    """Finds ``airflow`` and what is below it, unless Airflow itself is installed."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """
        Returns the spec of a module of Airflow; None for others.

        A module that we lack may be in a folder named ``airflow`` on the path. Raises ModuleNotFoundError if it is not.
        """
        del target
        if name != "airflow" and not name.startswith("airflow."):
            return None
        if not _is_ours():
            return None
        from airlock.names.resolving import is_package, missing_module

        if text := missing_module(name):
            if path and (spec := PathFinder.find_spec(name, path)):
                return spec
            raise ModuleNotFoundError(text, name=name)
        spec = ModuleSpec(name, cast("Any", _Loader), origin="airlock.names", is_package=is_package(name))
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations += _folders(name)
        return spec


class _Loader:
    """Makes the modules."""

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        """Returns an empty module."""
        return _Module(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Warns for a module that moved as a whole."""
        from airlock.names.moved import WARNS_ON_IMPORT

        if module.__name__ in ("airflow", "airflow.sdk"):
            vars(module)["__version__"] = VERSION if module.__name__ == "airflow" else SDK_VERSION
        if new := WARNS_ON_IMPORT.get(module.__name__):
            from airlock.names.deprecation import warn

            # Past the frames of the import itself, which the interpreter leaves out of the count.
            warn(module.__name__, new, depth=2)


def _folders(name: str) -> list[str]:
    """Returns the folders on the path that may have more modules of a package: an author's, named as Airflow's."""
    parts = name.split(".")
    return [folder for place in sys.path if os.path.isdir(folder := os.path.join(place, *parts))]


def _is_ours() -> bool:
    """Tells whether ``airflow`` is, or would be, ours: whether Airflow itself is not installed."""
    loaded = sys.modules.get("airflow")
    if loaded is not None:
        return isinstance(loaded, _Module)
    spec = PathFinder.find_spec("airflow")
    # A folder of that name without code in it, such as one with DAG files, is not Airflow.
    return spec is None or spec.origin is None


def install() -> None:
    """Makes Airflow's import names ours in this process, once. It has no effect where Airflow is installed."""
    if _Finder not in sys.meta_path:
        # The first: a folder named `airflow` on the path would be found before.
        sys.meta_path.insert(0, cast("Any", _Finder))
