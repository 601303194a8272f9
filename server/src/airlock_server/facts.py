"""The server's own log: one line a fact, with its fields, on standard error. Never a token, never a body."""

import logging
import sys
import time

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class FactFormatter(logging.Formatter):
    """``2026-06-30T12:00:00.000Z info airlock.api refused status=403 why="Missing auth token"``."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"
    converter = staticmethod(time.gmtime)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line without a traceback."""
        fields = (f"{name}={_quoted(value)}" for name, value in vars(record).items() if name not in _STANDARD)
        stamp = self.formatTime(record)
        return " ".join((stamp, record.levelname.lower(), record.name, _one_line(record.getMessage()), *fields))


def configure(level: str) -> None:
    """Sends every logger's facts at ``level`` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FactFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Which migration ran is ours to say; alembic's own steps are not facts about the server.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _quoted(value: object) -> str:
    text = _one_line(str(value))
    return f'"{text}"' if not text or any(c in text for c in ' "=') else text


def _one_line(text: str) -> str:
    """Control characters escaped: a path or a reason can come from anybody."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
