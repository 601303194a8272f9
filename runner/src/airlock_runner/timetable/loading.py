"""Makes the author's timetable and mappers: by a DAG of a file, or by a class's path and what it serialized."""

import sys
from functools import cached_property
from typing import Any

from airlock import names
from airlock.sdk._names import near
from airlock.sdk.definitions.dag import DAG
from airlock.sdk.exceptions import LoadError
from airlock.sdk.timetables.assets import AssetOrTimeSchedule
from airlock_runner.json_values import deserialized
from airlock_runner.load import load_dags, load_named
from airlock_wire.protocol.timetables import TimetableRequest


class Source:
    """The author's classes that a request is about. The file is loaded once, where something needs it."""

    def __init__(self, request: TimetableRequest, root: str) -> None:
        self.request = request
        self.root = root
        # A class's module may have been saved since it was last compiled.
        sys.dont_write_bytecode = True
        if root not in sys.path:
            sys.path.append(root)
        names.install()

    @cached_property
    def _dags(self) -> dict[str, DAG]:
        return load_dags(self.root, self.request.file)

    @cached_property
    def timetable(self) -> Any:
        """The timetable. Raises LoadError, ImportError, or what the author's code raises."""
        request = self.request
        if not request.dag_id:
            return self.made(request.classpath, request.data)
        dag = self._dags.get(request.dag_id)
        if dag is None:
            raise LoadError(
                f"{request.file}: no DAG {request.dag_id!r} in this file; {near(request.dag_id, self._dags)}"
            )
        table: Any = dag.timetable
        # The time half is the one that is asked: the assets are counted elsewhere.
        while isinstance(table, AssetOrTimeSchedule):
            table = table.timetable
        return table

    def made(self, classpath: str, data: dict[str, Any]) -> Any:
        """Returns an object of a class, by ``deserialize`` where the class has it. Raises what the timetable does."""
        kind = load_named(classpath, lambda: self._dags)
        plain = deserialized(data)
        deserialize = getattr(kind, "deserialize", None)
        return kind(**plain) if deserialize is None else deserialize(plain)


def method_of(thing: Any, name: str) -> Any:
    """Returns a method of the author's object; raises TypeError without it."""
    method = getattr(thing, name, None)
    if method is None:
        raise TypeError(f"{type(thing).__name__} has no method {name}; derive it from the class that Airflow names")
    return method
