"""
Asks Airflow to schedule a task instance again on the same try, after the platform took its launch.

A running task instance may become ``up_for_reschedule``, as a sensor does. It keeps its id and its try number. The
request is made in a thread.
"""

from datetime import UTC, datetime
from enum import Enum

import msgspec

from airlock_executor import execution_api


class Answer(Enum):
    """What the server made of it."""

    #: It is scheduled again.
    SAVED = "saved"
    #: It had not begun, so it can be launched anew.
    QUEUED = "queued"
    #: It has ended, or it is another launch's by now.
    OVER = "over"
    #: The server did not answer, or was not able to.
    AWAY = "away"


class _Detail(msgspec.Struct, frozen=True):
    previous_state: str | None = None


class _Refusal(msgspec.Struct, frozen=True):
    detail: _Detail | None = None


def reschedule(api_url: str, ti_id: str, token: str) -> Answer:
    """Asks once; ``api_url`` ends before ``/task-instances``. ``token`` is one of scope ``execution``."""
    now = datetime.now(UTC).isoformat()
    body = {"state": "up_for_reschedule", "reschedule_date": now, "end_date": now}
    try:
        return read(*execution_api.call("PATCH", api_url, ["task-instances", ti_id, "state"], token, body))
    except execution_api.Away:
        return Answer.AWAY


def read(status: int, body: bytes) -> Answer:
    """Returns what an answer means. Pure."""
    if status in (200, 204):
        return Answer.SAVED
    if status == 409:
        try:
            detail = msgspec.json.decode(body, type=_Refusal).detail
        except msgspec.MsgspecError:
            detail = None
        return Answer.QUEUED if detail is not None and detail.previous_state == "queued" else Answer.OVER
    # A proxy before the server answers these; and a token that is refused is not refused for good.
    return Answer.OVER if status in (404, 410) else Answer.AWAY
