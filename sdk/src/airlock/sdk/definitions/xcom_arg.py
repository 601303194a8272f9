"""XComArg: the value that a task will have, standing in for it while the DAG is written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from airlock.sdk.basis.notset import NOTSET
from airlock.sdk.definitions.graph.edges import DependencyMixin, EdgeModifier, Others
from airlock.sdk.exceptions import AirlockSkipException, XComNotFound

if TYPE_CHECKING:
    from airlock.sdk.bases.abstract_operator import AbstractOperator

RETURN_VALUE: Final = "return_value"


class ResolveMixin:
    """Something that stands for a value which is known when the task runs."""

    def iter_references(self) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields the tasks whose XComs it needs, with the keys."""
        raise NotImplementedError

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Returns the value, for the task of this context."""
        raise NotImplementedError


class XComArg(ResolveMixin, DependencyMixin):
    """
    What calling a task gives. Pass it to another task, which then runs later and gets the value.

    ``arg["key"]`` stands for one key of a task with ``multiple_outputs``. ``map``, ``zip`` and ``concat`` make lists of
    it to expand over.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> "XComArg":  # noqa: PYI034 - another class than the own
        """Returns a PlainXComArg for ``XComArg(operator, key)``."""
        del args, kwargs
        return object.__new__(PlainXComArg if cls is XComArg else cls)

    # --- arrows: those of its tasks ---

    @property
    def roots(self) -> "Sequence[AbstractOperator]":
        """The tasks whose value it is."""
        return [operator for operator, _ in self.iter_references()]

    @property
    def leaves(self) -> "Sequence[AbstractOperator]":
        """The tasks whose value it is."""
        return self.roots

    def set_upstream(self, task_or_task_list: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Makes the others run before the tasks whose value it is."""
        for operator in self.roots:
            operator.set_upstream(task_or_task_list, edge_modifier)

    def set_downstream(self, task_or_task_list: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Makes the others run after the tasks whose value it is."""
        for operator in self.roots:
            operator.set_downstream(task_or_task_list, edge_modifier)

    @staticmethod
    def iter_xcom_references(arg: Any) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields every task and key that an argument needs, at any depth of lists, tuples, sets and dicts."""
        for each in resolvable_in(arg):
            yield from each.iter_references()

    @staticmethod
    def apply_upstream_relationship(op: "AbstractOperator", arg: Any) -> None:
        """Puts the tasks that an argument needs before the task that gets it."""
        for each in iter_references(arg):
            if each is not op:
                op.set_upstream(each)

    # --- lists to expand over ---

    def map(self, f: Callable[[Any], Any]) -> "MapXComArg":
        """Returns the list of what ``f`` makes of each item, which may raise AirlockSkipException to skip the item."""
        return MapXComArg(self, [f])

    def zip(self, *others: "XComArg", fillvalue: Any = NOTSET) -> "ZipXComArg":
        """Returns tuples of this and the others' items: as many as the shortest has; with ``fillvalue`` the longest."""
        return ZipXComArg([self, *others], fillvalue=fillvalue)

    def concat(self, *others: "XComArg") -> "ConcatXComArg":
        """Returns this list with the others' items after its own."""
        return ConcatXComArg([self, *others])

    # --- setups and teardowns ---

    def as_setup(self) -> "XComArg":
        """Makes its tasks setups."""
        for operator in self.roots:
            operator.as_setup()
        return self

    def as_teardown(self, *, setups: Others = None, on_failure_fail_dagrun: Any = None) -> "XComArg":
        """Makes its tasks teardowns, of these setups if they are given."""
        for operator in self.roots:
            operator.as_teardown(setups=setups, on_failure_fail_dagrun=on_failure_fail_dagrun)
        return self

    def __enter__(self) -> Any:
        """Opens the scope of a setup or teardown: tasks that are made inside are its work."""
        from airlock.sdk.definitions.graph import setup_teardown

        return setup_teardown.enter(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the scope."""
        from airlock.sdk.definitions.graph import setup_teardown

        setup_teardown.leave()


class PlainXComArg(XComArg):
    """The XCom ``key`` of one task."""

    def __init__(self, operator: "AbstractOperator", key: str = RETURN_VALUE) -> None:
        """Stands for the XCom ``key`` of ``operator``."""
        self.operator = operator
        self.key = key

    def __getitem__(self, key: str) -> "PlainXComArg":
        """Returns the XCom that the task pushes under this key."""
        if not isinstance(key, str):
            raise TypeError(
                f"the value of task {self.operator.task_id!r} is not known while the DAG is written, so it has no item "
                f"{key!r} yet; take the item inside the task that uses it"
            )
        return PlainXComArg(self.operator, key)

    def __iter__(self) -> Iterator[Any]:
        """Raises TypeError: the value is not known before the task has run."""
        raise TypeError(
            f"the value of task {self.operator.task_id!r} is not known while the DAG is written; "
            "pass it to another task and go through it there, or map over it: .expand(...)"
        )

    def iter_references(self) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields its task and key."""
        yield self.operator, self.key

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> "ZipXComArg":
        """Returns the list of tuples of this and the others' items."""
        self._check_whole("zip")
        return super().zip(*others, fillvalue=fillvalue)

    def concat(self, *others: XComArg) -> "ConcatXComArg":
        """Returns this list with the others' items after its own."""
        self._check_whole("concat")
        return super().concat(*others)

    def map(self, f: Callable[[Any], Any]) -> "MapXComArg":
        """Returns the list of what the function ``f`` makes of each item."""
        self._check_whole("map")
        return super().map(f)

    def _check_whole(self, method: str) -> None:
        if self.key != RETURN_VALUE:
            raise ValueError(
                f"cannot call {method}() on the XCom {self.key!r} of task {self.operator.task_id!r}: only a whole "
                "return value can be expanded over"
            )

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """
        Returns the value, for the task of this context.

        A task that is mapped gives all its values, as a sequence that fetches an item when it is used; inside one
        mapped group it gives the value of the same index. A missing value is None, or XComNotFound
        for a key that the task was to push itself.
        """
        ti = context["ti"]
        value = ti.pull_argument(self.operator, self.key, NOTSET)
        if value is not NOTSET:
            return value
        if self.key == RETURN_VALUE or getattr(self.operator, "multiple_outputs", False):
            return None
        raise XComNotFound(ti.dag_id, self.operator.task_id, self.key)

    def __str__(self) -> str:
        """Returns a template that becomes the value, so that an f-string in a templated argument works."""
        task_id, dag_id = self.operator.task_id, self.operator.dag_id
        text = f"task_instance.xcom_pull(task_ids={task_id!r}, dag_id={dag_id!r}, key={self.key!r})"
        return "{{ " + text + " }}"

    def __repr__(self) -> str:
        """Returns the task and the key."""
        return (
            f"XComArg({self.operator!r}, key={self.key!r})"
            if self.key != RETURN_VALUE
            else f"XComArg({self.operator!r})"
        )

    def __eq__(self, other: object) -> bool:
        """Tells whether the other stands for the same XCom."""
        if not isinstance(other, PlainXComArg):
            return NotImplemented
        return self.operator is other.operator and self.key == other.key

    def __hash__(self) -> int:
        """Returns the hash of what it stands for."""
        return hash((id(self.operator), self.key))


class MapXComArg(XComArg):
    """Another list, each item gone through functions of the author."""

    def __init__(self, arg: XComArg, callables: Sequence[Callable[[Any], Any]]) -> None:
        """Refuses a @task: a function here runs inside the mapped task, and is not a task of its own."""
        for function in callables:
            if getattr(function, "is_task_decorator", False):
                raise ValueError("map() argument must be a plain function, not a @task operator")
        self.arg = arg
        self.callables = callables

    def map(self, f: Callable[[Any], Any]) -> "MapXComArg":
        """Returns the list that goes through one function more."""
        return MapXComArg(self.arg, [*self.callables, f])

    def iter_references(self) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields the tasks of the list."""
        return self.arg.iter_references()

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Returns the list; each function runs when its item is taken."""
        values = _checked_list(self.arg.resolve(context), "map")
        return _Lazy(len(values), lambda index: self._apply(_item(values, index)))

    def _apply(self, value: Any) -> Any:
        for function in self.callables:
            value = function(value)
        return value

    def __repr__(self) -> str:
        """Returns the calls."""
        return f"{self.arg!r}" + "".join(f".map({getattr(each, '__name__', each)})" for each in self.callables)


class ZipXComArg(XComArg):
    """Tuples of the items of several lists."""

    def __init__(self, args: Sequence[XComArg], *, fillvalue: Any = NOTSET) -> None:
        """``fillvalue`` stands in for the items that shorter lists lack."""
        if len(args) < 2:
            raise ValueError("At least two inputs are required: zip() got no list to go with")
        self.args = args
        self.fillvalue = fillvalue

    def iter_references(self) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields the tasks of the lists."""
        for arg in self.args:
            yield from arg.iter_references()

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Returns the list of tuples."""
        lists = [_checked_list(arg.resolve(context), "zip") for arg in self.args]
        lengths = [len(each) for each in lists]
        length = min(lengths) if self.fillvalue is NOTSET else max(lengths)
        return _Lazy(length, lambda i: tuple(_item(each, i) if i < len(each) else self.fillvalue for each in lists))

    def __repr__(self) -> str:
        """Returns the call."""
        first, *others = self.args
        fill = [] if self.fillvalue is NOTSET else [f"fillvalue={self.fillvalue!r}"]
        return f"{first!r}.zip({', '.join([*map(repr, others), *fill])})"


class ConcatXComArg(XComArg):
    """Several lists, end to end."""

    def __init__(self, args: Sequence[XComArg]) -> None:
        """Joins at least two lists."""
        if len(args) < 2:
            raise ValueError("At least two inputs are required: concat() got no list to go with")
        self.args = args

    def concat(self, *others: XComArg) -> "ConcatXComArg":
        """Returns the list with more items after its own."""
        return ConcatXComArg([*self.args, *others])

    def iter_references(self) -> "Iterator[tuple[AbstractOperator, str]]":
        """Yields the tasks of the lists."""
        for arg in self.args:
            yield from arg.iter_references()

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Returns the joined list."""
        lists = [_checked_list(arg.resolve(context), "concat") for arg in self.args]

        def item(index: int) -> Any:
            for each in lists:
                if index < len(each):
                    return _item(each, index)
                index -= len(each)
            raise IndexError("list index out of range")

        return _Lazy(sum(map(len, lists)), item)

    def __repr__(self) -> str:
        """Returns the call."""
        first, *others = self.args
        return f"{first!r}.concat({', '.join(map(repr, others))})"


class _Lazy(Sequence[Any]):
    """A list whose items are made when they are taken."""

    def __init__(self, length: int, item: Callable[[int], Any]) -> None:
        self._length = length
        self._item = item

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._item(i) for i in range(*index.indices(self._length))]
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError("list index out of range")
        return self._item(index)

    def __iter__(self) -> Iterator[Any]:
        for index in range(self._length):
            # An item that is skipped is not in the list, for whoever goes through all of it.
            try:
                value = self._item(index)
            except AirlockSkipException:
                continue
            yield value


def _checked_list(value: Any, method: str) -> Sequence[Any] | Mapping[Any, Any]:
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)):
        return value
    raise ValueError(f"XCom {method}() expects a list or dict, not {type(value).__name__}")


def _item(values: Any, index: int) -> Any:
    """Returns an item of a list, or the index-th pair of a dict."""
    if isinstance(values, Mapping):
        for number, pair in enumerate(values.items()):
            if number == index:
                return pair
        raise IndexError("list index out of range")
    return values[index]


def resolvable_in(value: Any) -> Iterator[ResolveMixin]:
    """Yields everything in an argument that stands for a value, at any depth of lists, tuples, sets and dict values."""
    if isinstance(value, ResolveMixin):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from resolvable_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from resolvable_in(item)
    elif (fields := getattr(type(value), "template_fields", None)) and isinstance(fields, Iterable):
        for field in fields:
            yield from resolvable_in(getattr(value, field, None))


def iter_references(value: Any) -> "Iterator[AbstractOperator]":
    """Yields the tasks that an argument needs, each once."""
    seen: set[int] = set()
    for each in resolvable_in(value):
        for operator, _ in each.iter_references():
            if id(operator) not in seen:
                seen.add(id(operator))
                yield operator
