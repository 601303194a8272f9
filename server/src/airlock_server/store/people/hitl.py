"""What tasks ask people, and the answers: one question for each task instance."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.store.engine import locks, upsert
from airlock_server.store.engine.types import now
from airlock_server.store.schema import hitl_detail

_h = hitl_detail.c


class Answered(msgspec.Struct, frozen=True):
    """A question's answer. ``answer`` is None while nobody has answered."""

    answer: dict[str, Any] | None
    at: datetime | None


def ask(conn: sa.Connection, ti_id: str, request: dict[str, Any]) -> None:
    """Asks a question, in the place of an earlier one of the task instance and its answer."""
    values = {"request": request, "asked_at": now(), "answer": None, "answered_at": None}
    upsert.upsert(conn, hitl_detail, {"ti_id": ti_id}, values)


def get(conn: sa.Connection, ti_id: str) -> Answered | None:
    """Returns the answer of a question; None if the task instance asked nothing."""
    row = conn.execute(sa.select(_h.answer, _h.answered_at).where(_h.ti_id == ti_id)).one_or_none()
    return None if row is None else Answered(row.answer, row.answered_at)


def lock(conn: sa.Connection, ti_id: str) -> None:
    """Locks a question, for an answer that depends on an earlier one."""
    locks.lock(conn, hitl_detail, _h.ti_id == ti_id)


def answer(conn: sa.Connection, ti_id: str, content: dict[str, Any]) -> None:
    """Notes an answer."""
    conn.execute(sa.update(hitl_detail).where(_h.ti_id == ti_id).values(answer=content, answered_at=now()))
