"""
What the drivers share: Airflow's side of the protocol, by Airflow's own classes.

A message is read with the union that Airflow reads it with, and written as Airflow writes it: the runner dumps the
whole model into ``_RequestFrame``, the supervisor dumps what was set into ``_ResponseFrame``.
"""

from typing import Any

import msgspec
from airflow.dag_processing.processor import ToDagProcessor, ToManager
from airflow.sdk.execution_time.comms import ToSupervisor, ToTask, _RequestFrame, _ResponseFrame
from pydantic import TypeAdapter

HEADER_BYTES = 4
_requests = {"DagFileParsingResult": TypeAdapter(ToManager)}
_responses = {"DagFileParseRequest": TypeAdapter(ToDagProcessor)}
_to_supervisor, _to_task = TypeAdapter(ToSupervisor), TypeAdapter(ToTask)
_request_frames = msgspec.msgpack.Decoder(_RequestFrame)
_response_frames = msgspec.msgpack.Decoder(_ResponseFrame)


def validate_request(body: dict[str, Any]) -> Any:
    """The model of a request's body."""
    return _requests.get(body["type"], _to_supervisor).validate_python(body)


def validate_response(body: dict[str, Any]) -> Any:
    """The model of a response's body."""
    return _responses.get(body["type"], _to_task).validate_python(body)


def read_request(frame: bytes) -> tuple[_RequestFrame, Any]:
    """The frame and the message in it."""
    found = _request_frames.decode(frame[HEADER_BYTES:])
    return found, validate_request(found.body)


def read_response(frame: bytes) -> tuple[_ResponseFrame, Any]:
    """The frame and the message in its body, or in its error slot."""
    found = _response_frames.decode(frame[HEADER_BYTES:])
    return found, validate_response(found.error if found.body is None else found.body)


def write_request(number: int, message: Any, carrier: dict[str, str] | None) -> bytes:
    """As the runner's CommsDecoder writes it."""
    return bytes(_RequestFrame(id=number, body=message.model_dump(), context_carrier=carrier).as_bytes())


def write_response(number: int, message: Any, *, error: bool) -> bytes:
    """As the supervisor's send_msg writes it."""
    slot = "error" if error else "body"
    return bytes(_ResponseFrame(id=number, **{slot: message.model_dump(exclude_unset=True, by_alias=True)}).as_bytes())
