"""XComs by hand, and the base of an author's own way to keep their values (``[core] xcom_backend``)."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from airlock.sdk import _channel
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.definitions.xcom_arg import RETURN_VALUE
from airlock_wire.protocol.messages import ErrorResponse, GetXCom, Message, SetXCom, XComResult


class TIKeyProtocol(Protocol):
    """What names a task instance."""

    dag_id: str
    task_id: str
    run_id: str
    map_index: int


class XComRow(NamedTuple):
    """An XCom as a backend's ``deserialize_value`` gets it."""

    key: str
    value: Any


class BaseXCom:
    """
    XComs of any task instance. A subclass changes how values are kept: ``serialize_value`` and ``deserialize_value``.
    """

    XCOM_RETURN_KEY: ClassVar[str] = RETURN_VALUE

    @staticmethod
    def serialize_value(
        value: Any,
        *,
        key: str | None = None,
        task_id: str | None = None,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
    ) -> Any:
        """Returns what is kept for a value: plain JSON."""
        from airlock.sdk import serde

        del key, task_id, dag_id, run_id, map_index
        return serde.serialize(value)

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        """Returns the value for what is kept: ``result.value``."""
        from airlock.sdk import serde

        return serde.deserialize(result.value)

    @classmethod
    def set(
        cls,
        key: str,
        value: Any,
        *,
        dag_id: str,
        task_id: str,
        run_id: str,
        map_index: int = -1,
        _mapped_length: int | None = None,
        dag_result: bool = False,
    ) -> None:
        """Keeps a value."""
        where: dict[str, Any] = {"dag_id": dag_id, "task_id": task_id, "run_id": run_id, "map_index": map_index}
        kept = cls.serialize_value(value, key=key, **where)
        message = SetXCom(key=key, value=kept, mapped_length=_mapped_length, dag_result=dag_result, **where)
        _ask(message, f"XCom.set({key!r})")

    @classmethod
    async def aset(cls, key: str, value: Any, **where: Any) -> None:
        """Keeps a value, without blocking an event loop."""
        import asyncio

        await asyncio.to_thread(cls.set, key, value, **where)

    @classmethod
    def get_one(
        cls,
        *,
        key: str,
        dag_id: str,
        task_id: str,
        run_id: str,
        map_index: int | None = None,
        include_prior_dates: bool = False,
    ) -> Any:
        """Returns a value; None if it does not exist."""
        message = GetXCom(
            key=key,
            dag_id=dag_id,
            task_id=task_id,
            run_id=run_id,
            map_index=map_index,
            include_prior_dates=include_prior_dates,
        )
        answer = _ask(message, f"XCom.get_one({key!r})")
        if not isinstance(answer, XComResult) or answer.value is None:
            return None
        return cls.deserialize_value(XComRow(key, _decoded(answer.value)))

    @classmethod
    async def aget_one(cls, **where: Any) -> Any:
        """Returns a value, without blocking an event loop."""
        import asyncio

        return await asyncio.to_thread(lambda: cls.get_one(**where))

    @classmethod
    def get_value(cls, *, ti_key: TIKeyProtocol, key: str) -> Any:
        """Returns a value of a task instance; None if it does not exist."""
        return cls.get_one(
            key=key, dag_id=ti_key.dag_id, task_id=ti_key.task_id, run_id=ti_key.run_id, map_index=ti_key.map_index
        )

    @classmethod
    async def aget_value(cls, *, ti_key: TIKeyProtocol, key: str) -> Any:
        """Returns a value of a task instance, without blocking an event loop."""
        import asyncio

        return await asyncio.to_thread(lambda: cls.get_value(ti_key=ti_key, key=key))

    @classmethod
    def get_all(
        cls, *, key: str, dag_id: str, task_id: str, run_id: str, include_prior_dates: bool = False
    ) -> Sequence[Any] | None:
        """Returns the values of all map indexes of a task; None if it has not pushed any."""
        from airlock_wire.protocol.lookups import GetXComSequenceSlice, XComSequenceSliceResult

        message = GetXComSequenceSlice(
            key=key,
            dag_id=dag_id,
            task_id=task_id,
            run_id=run_id,
            start=None,
            stop=None,
            step=None,
            include_prior_dates=include_prior_dates,
        )
        answer = _ask(message, f"XCom.get_all({key!r})")
        if not isinstance(answer, XComSequenceSliceResult) or not answer.root:
            return None
        return [cls.deserialize_value(XComRow(key, value)) for value in answer.root]

    @classmethod
    async def aget_all(cls, **where: Any) -> Sequence[Any] | None:
        """Returns the values of all map indexes of a task, without blocking an event loop."""
        import asyncio

        return await asyncio.to_thread(lambda: cls.get_all(**where))

    @classmethod
    def delete(cls, key: str, task_id: str, dag_id: str, run_id: str, map_index: int | None = None) -> None:
        """Deletes a value, and what a backend keeps for it."""
        from airlock_wire.protocol.changes import DeleteXCom

        where: dict[str, Any] = {"dag_id": dag_id, "task_id": task_id, "run_id": run_id, "map_index": map_index}
        answer = _ask(GetXCom(key=key, **where), f"XCom.delete({key!r})")
        if isinstance(answer, XComResult) and answer.value is not None:
            cls.purge(XComRow(key, _decoded(answer.value)))
        _ask(DeleteXCom(key=key, **where), f"XCom.delete({key!r})")

    @classmethod
    def purge(cls, xcom: Any, *args: Any) -> None:
        """Deletes what a backend keeps elsewhere. A subclass overrides it."""
        del xcom, args


def _ask(message: Message, call: str) -> Message | None:
    answer = _channel.ask(message, call)
    if isinstance(answer, ErrorResponse):
        raise refusal(answer, call)
    return answer


def _decoded(value: Any) -> Any:
    """Returns a value that came as JSON text, decoded."""
    if not isinstance(value, bytes):
        return value
    import msgspec

    return msgspec.json.decode(value)
