"""The server's log lines."""

import json
import logging
import sys
from pathlib import Path

from airlock_server.log import FactFormatter
from airlock_wire.process.jsonlog import JsonFormatter


def line(message, **fields):
    record = logging.makeLogRecord({"name": "airlock.api", "levelname": "INFO", "msg": message, "created": 0, **fields})
    return FactFormatter().format(record)


def test_a_fact_has_its_fields():
    assert line("refused", status=403, why="no token").endswith('info airlock.api refused status=403 why="no token"')


def test_the_clock_is_utc():
    assert line("x").startswith("1970-01-01T00:00:00.")


def test_control_characters_cannot_forge_a_line():
    assert "\n" not in line("x", path="/a\nb", why='a "quote"')


def test_a_json_line_is_one_object_whatever_the_fields_hold():
    record = logging.LogRecord("airlock.audit", logging.INFO, "", 0, "exchange", (), None)
    record.why, record.event, record.path = 'a "quoted"\nline', "borrowed", Path("/x")
    line = JsonFormatter().format(record)
    read = json.loads(line)

    assert "\n" not in line
    assert ("exchange", "info", "airlock.audit") == (read["event"], read["level"], read["logger"])
    assert ('a "quoted"\nline', "/x") == (read["why"], read["path"])


def test_a_traceback_is_a_field_of_its_json_line():
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.LogRecord("airlock.api", logging.ERROR, "", 0, "request failed", (), sys.exc_info())

    assert "ValueError: broken" in json.loads(JsonFormatter().format(record))["exception"]
