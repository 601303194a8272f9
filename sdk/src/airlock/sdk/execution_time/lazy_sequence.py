"""The values of a mapped task, as a list that fetches an item when it is used."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from airlock.sdk import _channel
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.exceptions import ChannelError
from airlock_wire.protocol.messages import ErrorResponse, Message


class LazyXComSequence(Sequence[Any]):
    """
    The XComs of a mapped task, by map index; instances that pushed nothing are not in it. Each item is one request; to
    print it asks for nothing.
    """

    def __init__(
        self, dag_id: str, run_id: str, task_id: str, key: str, read: Callable[[Any], Any] = lambda value: value
    ) -> None:
        """``read`` turns a value as it was sent into the author's."""
        self._place: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key}
        self._read = read
        self._len: int | None = None

    def __len__(self) -> int:
        """Returns how many values there are."""
        if self._len is None:
            from airlock_wire.protocol.lookups import GetXComCount, XComCountResponse

            answer = self._ask(GetXComCount(**self._place), XComCountResponse)
            self._len = answer.len
        return self._len

    def __getitem__(self, index: Any) -> Any:
        """Returns a value, or the values of a slice."""
        from airlock_wire.protocol import lookups

        if isinstance(index, slice):
            ask = lookups.GetXComSequenceSlice(**self._place, start=index.start, stop=index.stop, step=index.step)
            return [self._read(value) for value in self._ask(ask, lookups.XComSequenceSliceResult).root]
        ask_item = lookups.GetXComSequenceItem(**self._place, offset=index)
        return self._read(self._ask(ask_item, lookups.XComSequenceIndexResult).root)

    def __iter__(self) -> Iterator[Any]:
        """Goes through the values, one request each."""
        index = 0
        while True:
            try:
                value = self[index]
            except IndexError:
                return
            yield value
            index += 1

    def _ask(self, message: Message, kind: type) -> Any:
        call = f"a value of task {self._place['task_id']!r}"
        answer = _channel.ask(message, call)
        if isinstance(answer, ErrorResponse):
            if (answer.detail or {}).get("status_code") == 404 or answer.error.value == "XCOM_NOT_FOUND":
                raise IndexError("list index out of range")
            raise refusal(answer, call)
        if not isinstance(answer, kind):
            raise ChannelError(f"{call} was answered with {type(answer).__name__}")
        return answer

    def __repr__(self) -> str:
        """Returns its length if that is known, and the task."""
        size = f"{self._len} items" if self._len is not None else "not fetched"
        return f"LazyXComSequence({self._place['task_id']!r}, {size})"

    def __eq__(self, other: object) -> bool:
        """Compares the values."""
        if isinstance(other, Sequence) and not isinstance(other, str | bytes):
            return list(self) == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # equal to lists, which have none
