"""The form of a log line."""

import json
import os
import subprocess
import sys
from contextlib import suppress

import pytest

from airlock_runner.logs import MAX_LINE_BYTES, Logs, encoded, exception_chain


class Unreadable:
    def __repr__(self):
        raise RuntimeError


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        with suppress(OSError):
            os.close(fd)


def test_a_record_is_one_line_with_what_airflow_has_in_one(pipe):
    read, write = pipe
    Logs(write).write("info", "two\nlines", colour="red")

    line = os.read(read, 65536)

    assert 1 == line.count(b"\n")
    record = json.loads(line)
    assert record.pop("timestamp").endswith("+00:00")
    assert {"level": "info", "event": "two\nlines", "logger": "airlock.task", "colour": "red"} == record


@pytest.mark.parametrize("length", [MAX_LINE_BYTES - 200, MAX_LINE_BYTES, 10 * MAX_LINE_BYTES])
@pytest.mark.parametrize("letter", ["x", "é", "\x01"])
def test_a_record_that_is_too_long_is_cut_and_says_so(length, letter):
    line = encoded({"level": "info", "event": letter * length, "logger": "l", "extra": "e"})

    assert len(line) <= MAX_LINE_BYTES
    record = json.loads(line)
    assert "extra" in record or "[cut: the record was" in record["event"]


def test_a_value_without_json_is_written_as_its_repr():
    assert "<class 'set'>" == json.loads(encoded({"event": "e", "value": {1, 2}.__class__}))["value"]


@pytest.mark.parametrize("value", [Unreadable(), "\udc80", [Unreadable()], {1.5: Unreadable()}])
def test_no_value_breaks_a_line(value):
    record = json.loads(encoded({"level": "info", "event": "said", "value": value}))

    assert record["event"].startswith("said")
    assert "info" == record["level"]


def test_logging_is_hooked_when_user_code_imports_it_and_not_before():
    program = """
import os, sys
from airlock_runner.logs import Logs, install
read, write = os.pipe()
install(Logs(write))
assert "logging" not in sys.modules
import logging.handlers
logging.getLogger("mine").info("heard")
logging.getLogger("mine").debug("below the level")
try:
    1 / 0
except ZeroDivisionError:
    logging.exception("went %s", "wrong")
os.close(write)
print(os.fdopen(read).read())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    heard, wrong = (json.loads(line) for line in done.stdout.split("\n") if line)
    assert ("heard", "mine", "info") == (heard["event"], heard["logger"], heard["level"])
    assert ("went wrong", "error") == (wrong["event"], wrong["level"])
    assert "ZeroDivisionError" == wrong["exception"][0]["exc_type"]
    assert "" == done.stderr


def test_a_pipe_that_is_gone_is_nobody_s_error(pipe):
    read, write = pipe
    os.close(read)

    Logs(write).write("info", "into the void")


def test_an_error_is_followed_by_its_cause_outermost_first():
    try:
        try:
            {}["k"]
        except KeyError as e:
            e.add_note("a note")
            raise ValueError("outer") from e
    except ValueError as e:
        outer, inner = exception_chain(e)

    assert ("ValueError", "outer", False) == (outer["exc_type"], outer["exc_value"], outer["is_cause"])
    assert ("KeyError", True, ["a note"]) == (inner["exc_type"], inner["is_cause"], inner["exc_notes"])
    assert "test_an_error_is_followed_by_its_cause_outermost_first" == outer["frames"][-1]["name"]
    assert outer["frames"][-1]["filename"] == __file__


def test_what_was_going_on_is_no_cause_and_can_be_suppressed():
    def chain(*, suppress_context):
        try:
            try:
                raise KeyError
            except KeyError:
                if suppress_context:
                    raise ValueError from None
                raise ValueError  # noqa: B904 - this is what is tested
        except ValueError as e:
            return [(link["exc_type"], link["is_cause"]) for link in exception_chain(e)]

    assert [("ValueError", False), ("KeyError", False)] == chain(suppress_context=False)
    assert [("ValueError", False)] == chain(suppress_context=True)


def test_the_members_of_a_group_are_in_it():
    (link,) = exception_chain(ExceptionGroup("several", [ValueError("a"), KeyError("b")]))

    assert link["is_group"]
    assert ["ValueError", "KeyError"] == [member[0]["exc_type"] for member in link["exceptions"]]
