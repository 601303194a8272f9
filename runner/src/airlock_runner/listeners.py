"""
Listeners of the author: functions in plugins of Airflow's form, which are told what becomes of tasks and DAG runs.

Plugins are Python files of the folder ``plugins`` in the bundle, or of the one that ``[core] plugins_folder`` names.
Airflow calls listeners of DAG runs in its scheduler, beside its keys. Here they are the author's code like any other.
"""

import os
import sys
from typing import Any, Final

from airlock_runner.load import failure_of
from airlock_runner.logs import Logs, text_of

RUNNING: Final = "on_task_instance_running"
FAILED: Final = "on_task_instance_failed"
#: The function of each state that is reported. A retry is a failure to it.
OF_STATE: Final = {
    "success": "on_task_instance_success",
    "skipped": "on_task_instance_skipped",
    "up_for_retry": FAILED,
    "failed": FAILED,
}
#: A plugin that has listeners names them. No other file is imported.
_MARK: Final = b"listeners"


class Listeners:
    """The listeners of a bundle. Its plugins are loaded at the first call, if it has any."""

    def __init__(self, root: str, logs: Logs) -> None:
        self._folder = _folder(root)
        #: Whether there may be listeners.
        self.there = os.path.isdir(self._folder)
        self._root = root
        self._logs = logs
        self._loaded: list[Any] | None = None
        #: What went wrong in listeners, a line each.
        self.errors: list[str] = []

    def call(self, name: str, **arguments: Any) -> int:
        """
        Calls the function of this name in each listener that has it, with those arguments that it names; returns how
        many were called. An error in one is logged, and changes nothing.
        """
        if not self.there:
            return 0
        if self._loaded is None:
            self._loaded = self._load()
        called = 0
        for listener in self._loaded:
            function = getattr(listener, name, None)
            # Airflow's ``hookimpl`` marks what is called.
            if function is None or not hasattr(function, "airflow_impl"):
                continue
            called += 1
            try:
                function(**_named(function, arguments))
            except (Exception, SystemExit) as e:  # noqa: BLE001 - what it is told of stands whatever it raises
                self.errors.append(failure_of(e, self._root))
                self._logs.write("error", f"listener {name} failed: {type(e).__name__}: {text_of(e)}", error=e)
        return called

    def _load(self) -> list[Any]:
        from airlock import names  # deferred: few bundles have plugins
        from airlock.names.plugins import AirflowPlugin

        names.install()
        for folder in (self._root, self._folder):
            if folder not in sys.path:
                sys.path.append(folder)
        listeners: dict[int, Any] = {}
        for path in _files(self._folder):
            try:
                module = _imported(path, self._folder)
                for value in vars(module).values():
                    if isinstance(value, type) and issubclass(value, AirflowPlugin):
                        listeners.update({id(each): each for each in value.listeners})
            except (Exception, SystemExit) as e:  # noqa: BLE001 - a plugin may be for another part of Airflow
                where = os.path.relpath(path, self._folder)
                self._logs.write("warning", f"plugin {where} is not loaded: {type(e).__name__}: {text_of(e)}", error=e)
        return list(listeners.values())


def _folder(root: str) -> str:
    from airlock.sdk.basis.settings import setting

    return setting("core", "plugins_folder", "") or os.path.join(root, "plugins")


def _files(folder: str) -> list[str]:
    paths = [os.path.join(place, name) for place, _, files in os.walk(folder) for name in files if name.endswith(".py")]
    return [path for path in sorted(paths) if _names_listeners(path)]


def _names_listeners(path: str) -> bool:
    try:
        with open(path, "rb") as source:
            return _MARK in source.read()
    except OSError:
        # What this user may not read is not its plugin.
        return False


def _imported(path: str, folder: str) -> Any:
    from importlib.util import module_from_spec, spec_from_file_location  # deferred: as the plugins are

    relative = os.path.relpath(path, folder).removesuffix(".py")
    name = "airlock_plugin_" + "".join(c if c.isalnum() else "_" for c in relative)
    spec = spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101 - it is a Python file
    assert spec.loader is not None  # noqa: S101 - the same
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _named(function: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments that a function names, as pluggy passes them."""
    code = function.__code__
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return {name: value for name, value in arguments.items() if name in parameters}
