"""What a task or group is mapped over: ``expand(**lists)`` and ``expand_kwargs(list of dicts)``."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from airlock.sdk.definitions.xcom_arg import RETURN_VALUE, ResolveMixin, XComArg, resolvable_in

if TYPE_CHECKING:
    from airlock.sdk.bases.abstract_operator import AbstractOperator

ExpandInput: TypeAlias = "DictOfListsExpandInput | ListOfDictsExpandInput"


class MappedArgument(ResolveMixin):
    """What the function of a mapped group gets for an argument: the item for the index of the running task."""

    def __init__(self, expand_input: ExpandInput, key: str) -> None:
        """Raises ValueError for a group that is mapped over an outer group's own argument."""
        if isinstance(expand_input, DictOfListsExpandInput) and any(
            isinstance(value, MappedArgument) for value in expand_input.value.values()
        ):
            raise ValueError(
                "Nested Mapped TaskGroups are not yet supported: map the inner group over a list or an XCom"
            )
        self._expand_input = expand_input
        self._key = key

    def iter_references(self) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields the tasks of the lists that the group is mapped over."""
        return self._expand_input.iter_references()

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Returns the item."""
        return self._expand_input.resolve(context)[0][self._key]

    def __repr__(self) -> str:
        """Returns the argument's name."""
        return f"MappedArgument({self._key!r})"


class DictOfListsExpandInput(ResolveMixin):
    """The cross product of lists; the last argument varies fastest."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        """``value`` has a list, dict, XComArg or MappedArgument for each argument."""
        self.value = dict(value)

    def iter_references(self) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields the tasks of the lists."""
        for value in self.value.values():
            if isinstance(value, ResolveMixin):
                yield from value.iter_references()

    def get_parse_time_length(self) -> int | None:
        """Returns how many instances there are; None if a task decides that."""
        length = 1
        for value in self.value.values():
            if isinstance(value, ResolveMixin):
                return None
            length *= len(value)
        return length

    def resolve(self, context: Mapping[str, Any]) -> tuple[dict[str, Any], set[int]]:
        """Returns the arguments for the running index, and the ids of those that came out of XComs."""
        map_index = _index_in(context)
        lists = {
            key: value.resolve(context) if isinstance(value, ResolveMixin) else value
            for key, value in self.value.items()
        }
        arguments: dict[str, Any] = {}
        for key in reversed(lists):
            values = lists[key]
            if not isinstance(values, Sized) or isinstance(values, str | bytes) or not len(values):
                raise ValueError(f"expand() cannot take an item for {key!r} from {type(values).__name__}: {values!r}")
            arguments[key] = _item(values, map_index % len(values))
            map_index //= len(values)
        arguments = {key: arguments[key] for key in lists}
        resolved = {id(arguments[key]) for key, value in self.value.items() if isinstance(value, ResolveMixin)}
        return arguments, resolved


class ListOfDictsExpandInput(ResolveMixin):
    """One instance for each dict of arguments."""

    def __init__(self, value: Any) -> None:
        """``value`` is an XComArg, or a list of dicts and XComArgs."""
        self.value = value

    def iter_references(self) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields the tasks of the list."""
        values = [self.value] if isinstance(self.value, ResolveMixin) else self.value
        for value in values:
            if isinstance(value, ResolveMixin):
                yield from value.iter_references()

    def get_parse_time_length(self) -> int | None:
        """Returns how many instances there are; None if a task decides that."""
        return None if isinstance(self.value, ResolveMixin) else len(self.value)

    def resolve(self, context: Mapping[str, Any]) -> tuple[dict[str, Any], set[int]]:
        """Returns the arguments for the running index, and the ids of those that came out of XComs."""
        map_index = _index_in(context)
        if isinstance(self.value, ResolveMixin):
            mappings = self.value.resolve(context)
            if not isinstance(mappings, Sequence) or isinstance(mappings, str | bytes):
                raise ValueError(f"expand_kwargs() expects a list[dict], not {_kind(mappings)}")
            mapping = mappings[map_index]
        else:
            mapping = self.value[map_index]
            if isinstance(mapping, ResolveMixin):
                mapping = mapping.resolve(context)
        if not isinstance(mapping, Mapping):
            raise ValueError(f"expand_kwargs() expects a list[dict], not list[{_kind(mapping)}]")
        for key in mapping:
            if not isinstance(key, str):
                raise ValueError(
                    f"expand_kwargs() input dict keys must all be str, but {key!r} is of type {_kind(key)}"
                )
        arguments = {
            key: value.resolve(context) if isinstance(value, ResolveMixin) else value for key, value in mapping.items()
        }
        # As in Airflow, the values of a dict that a task returned are rendered as if the author had written them.
        resolved = {id(arguments[key]) for key, value in mapping.items() if isinstance(value, ResolveMixin)}
        return arguments, resolved


#: Stands where a task function keeps its mapped arguments elsewhere.
EXPAND_INPUT_EMPTY: Final = DictOfListsExpandInput({})


def is_mappable(value: Any) -> bool:
    """Tells whether a task can be expanded over the value."""
    return isinstance(value, MappedArgument | XComArg | Mapping | Sequence) and not isinstance(value, str | bytes)


def is_mappable_value(value: Any) -> bool:
    """Tells whether a task can be expanded over a value that a task returned: a list or dict, and not text."""
    return isinstance(value, Sequence | dict) and not isinstance(value, str | bytes | bytearray)


def checked_kwargs_list(kwargs: Any) -> ListOfDictsExpandInput:
    """Returns the input of ``expand_kwargs(kwargs)``; TypeError for anything but an XComArg or a list of dicts."""
    if isinstance(kwargs, Sequence) and not isinstance(kwargs, str):
        for item in kwargs:
            if not isinstance(item, XComArg | Mapping):
                raise TypeError(f"expected XComArg or list[dict], not list with {type(item).__name__}: {item!r}")
    elif not isinstance(kwargs, XComArg):
        raise TypeError(f"expected XComArg or list[dict], not {type(kwargs).__name__}")
    return ListOfDictsExpandInput(kwargs)


def ensure_xcomarg_return_value(value: Any) -> None:
    """Raises ValueError where a mapping needs an XCom of another key than the return value: its length is not kept."""
    for each in resolvable_in(value):
        if isinstance(each, MappedArgument):
            continue
        for operator, key in each.iter_references():
            if key != RETURN_VALUE:
                raise ValueError(f"cannot map over XCom with custom key {key!r} from {operator}")


def prevent_duplicates(one: Mapping[str, Any], other: Mapping[str, Any], *, fail_reason: str) -> None:
    """Raises TypeError that names the arguments which both have."""
    if both := sorted(one.keys() & other.keys()):
        raise TypeError(f"{fail_reason} argument{'s' if len(both) > 1 else ''}: {', '.join(both)}")


def _index_in(context: Mapping[str, Any]) -> int:
    map_index: int | None = context["ti"].map_index
    if map_index is None or map_index < 0:
        raise RuntimeError("can't resolve task-mapping argument without expanding: this task instance has no map index")
    return map_index


def _item(values: Any, index: int) -> Any:
    if isinstance(values, Mapping):
        return list(values.items())[index]
    return values[index]


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__
