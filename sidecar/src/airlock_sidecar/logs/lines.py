"""
Turns bytes of the runner's three streams into log records, and records into lines. Pure.

A record is Airflow's: ``timestamp``, ``level``, ``event``, ``logger`` and further keys. User code cannot forge the
rest of a record. The ids are the sidecar's own and overwrite others, and an unknown level becomes ``info``. User
code cannot use the sidecar's logger name, and JSON escapes control bytes.
"""

import contextlib
import re
from typing import Any

import msgspec

from airlock_sidecar.logs.masking import Masker

#: A longer line is cut into pieces of this size, never inside a secret.
MAX_LINE_BYTES = 65536

OWN_LOGGER = "airlock.sidecar"
#: What follows the text of a record that the runner has cut.
CUT_MARK = " [cut: the record was "
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?")
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_STREAM_LEVEL = {"stdout": "info", "stderr": "error"}

_decoder = msgspec.json.Decoder(dict[str, Any])
_encoder = msgspec.json.Encoder()


def take_lines(data: bytes, masker: Masker) -> tuple[list[str], int]:
    """
    Returns the whole lines at the head of ``data``, not masked yet, without their ends, and how many bytes they took.

    The rest is a line that has not ended. If it is too long it is cut, before a secret that reaches over the cut.
    """
    end = data.rfind(b"\n") + 1
    lines = [piece for line in data[: end - 1].split(b"\n") for piece in _pieces(line, masker)] if end else []
    rest = data[end:]
    while len(rest) > MAX_LINE_BYTES + 4 * masker.longest:
        cut = _cut(rest, masker)
        lines.append(_text(rest[:cut]))
        rest, end = rest[cut:], end + cut
    return lines, end


def last_line(data: bytes, masker: Masker) -> list[str]:
    """Returns the unfinished line at the end of a stream, in pieces if it is long."""
    return _pieces(data, masker) if data else []


def _pieces(line: bytes, masker: Masker) -> list[str]:
    pieces = []
    while len(line) > MAX_LINE_BYTES:
        cut = _cut(line, masker)
        pieces.append(_text(line[:cut]))
        line = line[cut:]
    return [*pieces, _text(line)]


def _cut(line: bytes, masker: Masker) -> int:
    """Tells where to cut a line that is too long: at the cap, or before the secret or the character that spans it."""
    cut = MAX_LINE_BYTES
    while cut > MAX_LINE_BYTES - 4 and line[cut] & 0xC0 == 0x80:
        cut -= 1
    window = _text(line[: cut + 4 * masker.longest])
    edge = len(_text(line[:cut]))
    for start, end in masker.spans(window):
        if start < edge < end and start:
            return len(window[:start].encode("utf-8", "backslashreplace"))
    return cut


def _text(data: bytes) -> str:
    return data.removesuffix(b"\r").decode("utf-8", "backslashreplace")


def from_output(text: str, stream: str, ids: dict[str, Any], now: str, masker: Masker) -> dict[str, Any]:
    """Returns the record of a line that user code printed."""
    logger = f"task.{stream}"
    return {"timestamp": now, "level": _STREAM_LEVEL[stream], "event": masker.mask(text), "logger": logger} | ids


def from_log(raw: str, ids: dict[str, Any], now: str, masker: Masker) -> dict[str, Any]:
    """
    Returns the record of a line from the log channel, with fields replaced that user code may not set.

    It is masked after decoding: a value that was shown by ``repr`` and then written as JSON is escaped twice.
    """
    try:
        record = _decoder.decode(raw)
        event = record.get("event")
        record["event"] = event if isinstance(event, str) else _event_text(event, masker)
        level, timestamp = record.pop("level", None), record.pop("timestamp", None)
        cut = record["event"].rfind(CUT_MARK)
        if cut >= 0:
            record["event"] = masker.mask_cut(record["event"], cut)
        record = dict(masker.mask_value(record))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return {"timestamp": now, "level": "info", "event": masker.mask(raw), "logger": "task.log"} | ids
    logger = record.get("logger")
    record["level"] = level if isinstance(level, str) and level in _LEVELS else "info"
    record["logger"] = logger if isinstance(logger, str) and not logger.startswith(OWN_LOGGER) else "task.log"
    # Only a timestamp is accepted: any other text could be a secret, and is not masked here.
    record["timestamp"] = timestamp if isinstance(timestamp, str) and _MOMENT.fullmatch(timestamp) else now
    if "exception" in record:
        # Airflow's readers of logs look for the structured traceback under this name.
        record["error_detail"] = record.pop("exception")
    return record | ids


def _event_text(event: Any, masker: Masker) -> str:
    """
    Returns an event that is not text, as text. One that is nested too deeply to be masked as it is, is masked as text.
    """
    with contextlib.suppress(RecursionError):
        event = masker.mask_value(event)
    return masker.mask(_encoder.encode(event).decode())


def own(event: str, level: str, ids: dict[str, Any], now: str, **fields: Any) -> dict[str, Any]:
    """Returns a record that the sidecar itself writes."""
    return {"timestamp": now, "level": level, "event": event, "logger": OWN_LOGGER} | fields | ids


def encode(records: list[dict[str, Any]]) -> bytes:
    """Encodes records as JSON lines. A record that says so replaces one that cannot be encoded."""
    buffer = bytearray()
    for record in records:
        try:
            buffer += _encoder.encode(record)
        except (RecursionError, UnicodeEncodeError, TypeError, msgspec.MsgspecError) as e:
            fields = {key: record[key] for key in ("timestamp", "level", "logger") if key in record}
            buffer += _encoder.encode(fields | {"event": f"a log record could not be kept: {type(e).__name__}"})
        buffer += b"\n"
    return bytes(buffer)
