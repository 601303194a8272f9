"""
What a launch may leave behind for a triggerer, and for its own next launch. Pure.

A real Airflow's triggerer imports the class that a deferral names and calls it with the arguments that came along,
beside the installation's keys. It also makes objects of every argument that says which class it is of, as the scheduler
and the API server do with the arguments for the next launch. So all three are held to a list: the class, what an
argument names to be called, and the classes of arguments.
"""

from collections.abc import Iterator
from typing import Any

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import access
from airlock_sidecar.requests.access import Missing
from airlock_wire.protocol import endings
from airlock_wire.workload import Access

#: How Airflow marks an argument that is an object: by its class, in the newer form and in the older.
_CLASS, _TYPE = "__classname__", "__type"
#: All its marks, in each spelling that it reads.
_MARKS = frozenset({_CLASS, "__version__", "__data__", _TYPE, "__var"})
_SPELLED = {"Encoding.TYPE": _TYPE, "Encoding.VAR": "__var"}

#: Values that Airflow has a form of its own for; to make them calls nothing of anybody's.
PLAIN_CLASSES = frozenset(
    {
        "builtins.frozenset", "builtins.set", "builtins.tuple", "datetime.date", "datetime.datetime",
        "datetime.timedelta", "decimal.Decimal", "pendulum.date.Date", "pendulum.datetime.DateTime",
        "pendulum.tz.timezone.FixedTimezone", "pendulum.tz.timezone.Timezone", "uuid.UUID", "zoneinfo.ZoneInfo",
    }
)  # fmt: skip
_PLAIN_TYPES = frozenset({"datetime", "dict", "frozenset", "set", "timedelta", "timezone", "tuple"})

#: Triggers that do harm as they are meant to: they call what they are told to, or remove files. No ``*`` is one.
BY_NAME_ALONE = frozenset(
    {
        "airflow.triggers.callback.CallbackTrigger",
        "airflow.providers.standard.triggers.file.FileDeleteTrigger",
        "airflow.providers.standard.triggers.file.DirectoryFileDeleteTrigger",
    }
)

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
    """Refuses what no launch may leave behind, whatever it was granted. Raises NotAllowed, which names the field."""
    kind = type(ask).__name__
    if not ask.next_method.isidentifier() or ask.next_method.startswith("_"):
        text = f"{kind}: next_method is {ask.next_method[:250]!r}; it must be the name of a public method"
        raise NotAllowed("odd deferral", text)
    _plain(kind, "next_kwargs", ask.next_kwargs)
    if not isinstance(ask, endings.DeferTask):
        return
    if not all(part.isidentifier() for part in ask.classpath.split(".")) or "__" in ask.classpath:
        raise NotAllowed("odd deferral", f"{kind}: classpath is {ask.classpath[:250]!r}, which is no path of a class")
    if isinstance(ask.trigger_kwargs, str):
        # Nobody but Airflow itself could have encrypted it, and what is not encrypted would be read as it is.
        raise NotAllowed("odd deferral", f"{kind}: trigger_kwargs must be a map; a text cannot be looked into")
    _plain(kind, "trigger_kwargs", ask.trigger_kwargs)


def missing(allowed: Access, ids: dict[str, Any], ask: endings.DeferTask | endings.AwaitInputTask) -> Missing | None:
    """
    The grant that a deferral needs and this launch does not have. A trigger acts for the task, so what its arguments
    name needs the grants that the task itself would need. ``check`` comes first; raises NotAllowed.
    """
    for named in _classes(ask.next_kwargs):
        if (found := _missing_class(allowed, named)) is not None:
            return found
    if not isinstance(ask, endings.DeferTask):
        return None
    if (found := _missing_class(allowed, ask.classpath)) is not None:
        return found
    for named in _classes(ask.trigger_kwargs):
        if (found := _missing_class(allowed, named)) is not None:
            return found
    for name, value in _named(ask.trigger_kwargs):
        if (found := _missing_argument(allowed, ids, name, value)) is not None:
            return found
    return None


def _missing_class(allowed: Access, named: str) -> Missing | None:
    if named in BY_NAME_ALONE:
        return None if named in allowed.deferrals else Missing(access.camel(access.DEFERRALS), named)
    return access.missing(allowed, access.DEFERRALS, named)


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
    """Refuses marks that are not as Airflow writes them: what one reader takes for data, another makes an object of."""
    for each in _maps(value):
        marks = {_SPELLED.get(key, key) for key in each if isinstance(key, str)} & _MARKS
        odd = [key for key in each if not isinstance(key, str) or key in _SPELLED]
        named = [each[mark] for mark in (_CLASS, _TYPE) if mark in each]
        if odd or (marks and len(named) != 1) or not all(isinstance(name, str) for name in named):
            shown = sorted(map(str, marks or odd))
            raise NotAllowed("odd deferral", f"{kind}: {field} has a map with {shown}, which is no value of Airflow's")
        if _TYPE in each and each[_TYPE] not in _PLAIN_TYPES:
            text = f"{kind}: {field} has a value of type {each[_TYPE][:250]!r}; only plain values are taken there"
            raise NotAllowed("odd deferral", text)


def _classes(value: Any) -> Iterator[str]:
    """The classes that arguments say they are of, but for plain ones."""
    for each in _maps(value):
        named = each.get(_CLASS)
        if isinstance(named, str) and named not in PLAIN_CLASSES:
            yield named


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    """Every argument and every member of one, by its name; a text that is an object is its text, a list its members."""
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
    """Every map in a value, itself too; without recursion, as a hostile value may be deep."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            yield each
            left.extend(each.values())
        elif isinstance(each, list | tuple):
            left.extend(each)
