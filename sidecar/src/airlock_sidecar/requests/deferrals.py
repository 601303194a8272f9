"""
Checks what a launch leaves behind for a triggerer, and for its own next launch. Pure.

A real Airflow's triggerer imports the class that a deferral names and calls it with the deferral's arguments, beside
the installation's keys. It also makes objects of every argument that names its class. The scheduler and the API server
do so with the arguments for the next launch. So three things must be in a list: the class, the callables that arguments
name, and the classes of arguments.
"""

from collections.abc import Iterator
from typing import Any

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import access
from airlock_sidecar.requests.access import Missing
from airlock_wire.protocol import endings
from airlock_wire.workload import HARMFUL_TRIGGERS, Access

#: The keys by which Airflow marks an argument that is an object of a class, in the newer and the older form.
_CLASS, _TYPE = "__classname__", "__type"
#: All of Airflow's marks, in each spelling that it reads.
_MARKS = frozenset({_CLASS, "__version__", "__data__", _TYPE, "__var"})
_SPELLED = {"Encoding.TYPE": _TYPE, "Encoding.VAR": "__var"}

#: Plain values that Airflow serializes in a form of its own; making them calls no foreign code.
PLAIN_CLASSES = frozenset(
    {
        "builtins.frozenset", "builtins.set", "builtins.tuple", "datetime.date", "datetime.datetime",
        "datetime.timedelta", "decimal.Decimal", "pendulum.date.Date", "pendulum.datetime.DateTime",
        "pendulum.tz.timezone.FixedTimezone", "pendulum.tz.timezone.Timezone", "uuid.UUID", "zoneinfo.ZoneInfo",
    }
)  # fmt: skip
_PLAIN_TYPES = frozenset({"datetime", "dict", "frozenset", "set", "timedelta", "timezone", "tuple"})

BY_NAME_ALONE = frozenset(HARMFUL_TRIGGERS)

#: Arguments of triggers that name something to be imported and called.
CALLED_ARGUMENTS = frozenset(
    {
        "apply_function", "auth_type", "callable", "callback", "callback_path", "classpath", "function",
        "message_deserializer", "python_callable", "response_check", "response_check_path", "response_type",
        "serializer",
    }
)  # fmt: skip
_CONNECTION_ENDS = ("conn_id", "config_id", "connection_id")
_DAG_ARGUMENTS = ("dag_id", "external_dag_id")
_OWN_ARGUMENTS = ("ti_id", "task_instance_id")


def check(ask: endings.DeferTask | endings.AwaitInputTask) -> None:
    """Refuses what a launch may never leave behind, whatever it was granted. Raises NotAllowed, naming the field."""
    kind = type(ask).__name__
    if not ask.next_method.isidentifier() or ask.next_method.startswith("_"):
        text = f"{kind}: next_method is {ask.next_method[:250]!r}; it must be the name of a public method"
        raise NotAllowed("odd deferral", text)
    _plain(kind, "next_kwargs", ask.next_kwargs)
    if not isinstance(ask, endings.DeferTask):
        return
    if not all(part.isidentifier() for part in ask.classpath.split(".")) or "__" in ask.classpath:
        raise NotAllowed("odd deferral", f"{kind}: classpath is {ask.classpath[:250]!r}, which is not a class's path")
    if isinstance(ask.trigger_kwargs, str):
        # Only Airflow itself can encrypt it, and Airflow reads a text that is not encrypted as it is.
        raise NotAllowed("odd deferral", f"{kind}: trigger_kwargs must be a map; a text cannot be looked into")
    _plain(kind, "trigger_kwargs", ask.trigger_kwargs)


def missing(allowed: Access, ids: dict[str, Any], ask: endings.DeferTask | endings.AwaitInputTask) -> Missing | None:
    """
    Returns the grant that a deferral needs and this launch does not have. A trigger acts for the task, so what its
    arguments name needs the grants that the task itself would need. ``check`` comes first; raises NotAllowed.
    """
    for classpath in _classes(ask.next_kwargs):
        if (grant := _missing_class(allowed, classpath)) is not None:
            return grant
    if not isinstance(ask, endings.DeferTask):
        return None
    if (grant := _missing_class(allowed, ask.classpath)) is not None:
        return grant
    for classpath in _classes(ask.trigger_kwargs):
        if (grant := _missing_class(allowed, classpath)) is not None:
            return grant
    for name, value in _named(ask.trigger_kwargs):
        if (grant := _missing_argument(allowed, ids, name, value)) is not None:
            return grant
    return None


def _missing_class(allowed: Access, classpath: str) -> Missing | None:
    if classpath in BY_NAME_ALONE:
        return None if classpath in allowed.deferrals else Missing(access.camel(access.DEFERRALS), classpath)
    return access.missing(allowed, access.DEFERRALS, classpath)


def _missing_argument(allowed: Access, ids: dict[str, Any], name: str, value: Any) -> Missing | None:
    if not isinstance(value, str):
        return None
    if name in CALLED_ARGUMENTS:
        return _missing_class(allowed, value)
    if name.endswith(_CONNECTION_ENDS):
        return access.missing(allowed, access.CONNECTIONS, value)
    if name in _DAG_ARGUMENTS:
        return access.missing(allowed, access.DAG_RUNS, value)
    if name in _OWN_ARGUMENTS and value != ids["ti_id"]:
        raise NotAllowed("foreign ids", f"a trigger for task instance {value[:64]!r}; this is {ids['ti_id']}")
    return None


def _plain(kind: str, field: str, value: Any) -> None:
    """Refuses marks that Airflow would not write: one reader may take them for data, another for an object."""
    for each in _maps(value):
        marks = {_SPELLED.get(key, key) for key in each if isinstance(key, str)} & _MARKS
        odd = [key for key in each if not isinstance(key, str) or key in _SPELLED]
        class_names = [each[mark] for mark in (_CLASS, _TYPE) if mark in each]
        if odd or (marks and len(class_names) != 1) or not all(isinstance(name, str) for name in class_names):
            refused_marks = sorted(map(str, marks or odd))
            raise NotAllowed(
                "odd deferral", f"{kind}: {field} has a map with {refused_marks}, which Airflow would not write"
            )
        if _TYPE in each and each[_TYPE] not in _PLAIN_TYPES:
            text = f"{kind}: {field} has a value of type {each[_TYPE][:250]!r}; only plain values are taken there"
            raise NotAllowed("odd deferral", text)


def _classes(value: Any) -> Iterator[str]:
    """Yields the classes that arguments name as their own, except plain ones."""
    for each in _maps(value):
        classpath = each.get(_CLASS)
        if isinstance(classpath, str) and classpath not in PLAIN_CLASSES:
            yield classpath


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    """
    Yields every argument and every member of one, by its name. A list yields its members; an object that Airflow writes
    as a text yields the text.
    """
    for each in _maps(value):
        for name, inner in each.items():
            yield from ((name, text) for text in _texts(inner))


def _texts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and (_CLASS in value or _TYPE in value):
        yield from _texts(value.get("__data__", value.get("__var")))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    else:
        yield value


def _maps(value: Any) -> Iterator[dict[Any, Any]]:
    """Yields every map in a value, itself too; without recursion, because a hostile value may be deep."""
    values_left = [value]
    while values_left:
        each = values_left.pop()
        if isinstance(each, dict):
            yield each
            values_left.extend(each.values())
        elif isinstance(each, list | tuple):
            values_left.extend(each)
