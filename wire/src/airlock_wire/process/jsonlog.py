"""A process's own log where a cluster collects it: one JSON object a line, alike for every process of ours."""

import logging
import time
from typing import Any

import msgspec

#: What every record has of logging's own; the rest is what ``extra`` gave.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Returns what ``extra`` gave the record. What kopf adds for its own use is left out."""
    return {name: value for name, value in vars(record).items() if name not in STANDARD and not name.startswith("k8s_")}


class UtcFormatter(logging.Formatter):
    """Times in UTC to the millisecond, ``2026-06-30T12:00:00.000Z``."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"
    converter = staticmethod(time.gmtime)


class JsonFormatter(UtcFormatter):
    """``{"timestamp": ..., "level": "info", "logger": "airlock.api", "event": "refused", "status": 403, ...}``."""

    def format(self, record: logging.LogRecord) -> str:
        """Writes the line, a traceback being its field ``exception``."""
        line: dict[str, Any] = {
            "timestamp": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in fields(record).items() if name not in line}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()
