"""
Imports DAG files that are zip archives: the modules at an archive's root, each as a DAG file of its own.

The archive is on ``sys.path``, so its modules import each other and the packages in it. A module without the words that
a DAG file has is not imported for itself.
"""

import sys
import zipimport
from collections.abc import Callable
from types import ModuleType
from typing import Any

_MAX_SEARCHED_BYTES = 16 * 1024 * 1024


def is_archive(path: str) -> bool:
    """Tells whether a DAG file is an archive."""
    if path.endswith(".py"):
        return False
    import zipfile  # deferred: few bundles have an archive

    return zipfile.is_zipfile(path)


def imported(path: str, run: Callable[[ModuleType, Any], None]) -> list[ModuleType]:
    """
    Returns the modules at an archive's root that may hold DAGs. ``run`` executes one. Raises zipimport.ZipImportError
    for a broken archive, and what ``run`` raises.
    """
    if path not in sys.path:
        sys.path.append(path)
    importer = zipimport.zipimporter(path)
    modules = []
    for name in _names(path):
        spec = importer.find_spec(name)
        if spec is None or spec.loader is None:
            continue
        module = sys.modules.get(name)
        if module is None or getattr(module.__spec__, "origin", None) != spec.origin:
            module = _module(name, spec)
            run(module, spec.loader)
        modules.append(module)
    return modules


def text_of(path: str, origin: str) -> str:
    """Returns the text of a module in the archive at ``path``; ``origin`` is the path that its code has."""
    name = origin[len(path) + 1 :].removesuffix(".py")
    return zipimport.zipimporter(path).get_source(name) or ""


def _module(name: str, spec: Any) -> ModuleType:
    module = ModuleType(name)
    module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
    # A module that is named like an installed one does not take its place.
    sys.modules.setdefault(name, module)
    return module


def _names(path: str) -> list[str]:
    """Returns the names of the modules at the root that have the words of a DAG file, in the archive's order."""
    import zipfile

    names = []
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename
            if "/" in name or not name.endswith(".py") or name == "__init__.py":
                continue
            with archive.open(info) as member:
                text = member.read(_MAX_SEARCHED_BYTES).lower()
            if (b"airflow" in text or b"airlock" in text) and (b"dag" in text or b"asset" in text):
                names.append(name.removesuffix(".py"))
    return names
