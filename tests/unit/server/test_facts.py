"""The server's log lines."""

import logging

from airlock_server.facts import FactFormatter


def line(message, **fields):
    record = logging.makeLogRecord({"name": "airlock.api", "levelname": "INFO", "msg": message, "created": 0, **fields})
    return FactFormatter().format(record)


def test_a_fact_has_its_fields():
    assert line("refused", status=403, why="no token").endswith('info airlock.api refused status=403 why="no token"')


def test_the_clock_is_utc():
    assert line("x").startswith("1970-01-01T00:00:00.")


def test_control_characters_cannot_forge_a_line():
    assert "\n" not in line("x", path="/a\nb", why='a "quote"')
