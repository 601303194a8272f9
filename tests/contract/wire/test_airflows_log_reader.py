"""Lines that our runner writes on its log channel, read by Airflow's supervisor."""

import json
import logging
import os
import subprocess
from pathlib import Path

import pytest

from airlock_runner import logs

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).parent / "drivers" / "logs.py"


@pytest.fixture(scope="module")
def written():
    """Lines of every kind, as bytes, through a pipe as in a launch."""
    read, write = os.pipe()
    pipe = logs.Logs(write)
    pipe.write("info", "started", note="ü\n", number=3)
    pipe.write("debug", "detail", logger="airlock.runner")
    try:
        try:
            raise ValueError("first")
        except ValueError as e:
            raise RuntimeError("second") from e
    except RuntimeError as e:
        pipe.write("error", "failed", error=e)
    record = logging.makeLogRecord(
        {"name": "my.module", "levelname": "WARNING", "levelno": 30, "msg": "only %d", "args": (1,), "lineno": 7}
    )
    pipe.put(logs._record(record, set(vars(logging.makeLogRecord({})))))
    pipe.write("critical", "x" * (2 * logs.MAX_LINE_BYTES))
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        return stream.read()


@pytest.fixture(scope="module")
def kept(airflow_python, airflow_env, written):
    """What Airflow's supervisor wrote into the task's log file."""
    env = {**airflow_env, "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{airflow_env['HOME']}/logs"}
    done = subprocess.run(
        [airflow_python, DRIVER, "try.log"],
        input=written,
        env=env,
        cwd=airflow_env["HOME"],
        capture_output=True,
        timeout=60,
    )
    assert 0 == done.returncode, done.stderr.decode()
    return [
        json.loads(line) for line in Path(env["AIRFLOW__LOGGING__BASE_LOG_FOLDER"], "try.log").read_bytes().splitlines()
    ]


def test_no_line_is_lost(written, kept):
    assert len(kept) == len(written.splitlines()) == 5


def test_level_event_logger_and_extras_arrive(kept):
    shown = [(line["level"], line["event"][:9], line["logger"]) for line in kept]

    assert [
        ("info", "started", "airlock.task"),
        ("debug", "detail", "airlock.runner"),
        ("error", "failed", "airlock.task"),
        ("warning", "only 1", "my.module"),
        ("critical", "xxxxxxxxx", "airlock.task"),
    ] == shown
    assert ("ü\n", 3) == (kept[0]["note"], kept[0]["number"])
    assert 7 == kept[3]["lineno"]


def test_the_timestamp_is_the_runners(written, kept):
    instants = [json.loads(line)["timestamp"] for line in written.splitlines()]

    assert [line["timestamp"].replace("Z", "+00:00") for line in kept] == instants


def test_an_exception_arrives_with_its_cause_and_frames(kept):
    detail = kept[2]["error_detail"]

    assert [
        ("RuntimeError", "second", False),
        ("ValueError", "first", True),
    ] == [(link["exc_type"], link["exc_value"], link["is_cause"]) for link in detail]
    assert "written" == detail[0]["frames"][-1]["name"]
    assert detail[0]["frames"][-1]["filename"] == __file__
