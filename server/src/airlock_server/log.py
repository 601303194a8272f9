"""
The server's own log: one line a fact, with its fields. Never a token, never a body.

As text for a person on standard error, or as JSON on standard output, where a cluster collects it.
"""

import logging
import sys
from typing import Literal

from airlock_wire.process.jsonlog import JsonFormatter, UtcFormatter, fields


class FactFormatter(UtcFormatter):
    """``2026-06-30T12:00:00.000Z info airlock.api refused status=403 why="Missing auth token"``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """Writes the line without a traceback."""
        pairs = (f"{name}={_quoted(value)}" for name, value in fields(record).items())
        stamp = self.formatTime(record)
        return " ".join((stamp, record.levelname.lower(), record.name, _one_line(record.getMessage()), *pairs))


def configure(level: str, form: Literal["text", "json"] = "text") -> None:
    """Writes every logger's records at ``level`` and above."""
    handler = logging.StreamHandler(sys.stdout if form == "json" else sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else FactFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Our own log says which migration ran; alembic's steps are not facts about the server.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _quoted(value: object) -> str:
    text = _one_line(str(value))
    return f'"{text}"' if not text or any(c in text for c in ' "=') else text


def _one_line(text: str) -> str:
    """Escapes control characters: a path or a reason can come from anybody."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
