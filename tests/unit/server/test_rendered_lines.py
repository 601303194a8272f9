"""A log line in a terminal: readable, and unable to move the cursor."""

import json

from airlock_server.launching.local.loglines import render


def line(**fields):
    return json.dumps({"timestamp": "2026-01-01T12:00:00.123456Z", "level": "info", "logger": "l", **fields}).encode()


def test_a_line_shows_time_level_logger_and_event():
    assert "12:00:00.123 info    l               | hi x=1" == render(line(event="hi", x=1, dag_id="d"))


def test_control_characters_are_written_out():
    assert "\\x1b[2J\\x0d\\x9b" in render(line(event="\x1b[2J\r\x9b"))


def test_what_is_no_record_is_shown_as_it_is():
    assert "\\x00oops\\xff" == render(b"\x00oops\xff")


def test_a_traceback_is_indented_below_its_line():
    detail = [{"exc_type": "ValueError", "exc_value": "no", "frames": [{"filename": "f.py", "lineno": 3, "name": "t"}]}]

    assert ["    f.py:3 in t", "    ValueError: no"] == render(line(event="failed", error_detail=detail)).splitlines()[
        1:
    ]
