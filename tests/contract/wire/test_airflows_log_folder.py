"""A try's log as the sidecar keeps it, in a shared folder and in segments, read by Airflow's own handler."""

import json
from pathlib import Path

import pytest

from airlock_sidecar.logs import lines as loglines
from airlock_sidecar.logs.masking import Masker
from airlock_sidecar.logs.shipping.notes import Note, Notes
from airlock_sidecar.logs.store import LogStore
from airlock_wire import logplace

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).parent / "drivers" / "log_folder.py"
PATH = logplace.log_path("d", "scheduled__2026-01-01T00:00:00+00:00", "t", -1, 1)
IDS = {"ti_id": "01890000-0000-7000-8000-000000000001", "dag_id": "d", "try_number": 1}


def lines(first, last):
    now = "2026-01-01T00:00:{:02d}.000000Z"
    return loglines.encode(
        [loglines.from_output(f"line {n}", "stdout", IDS, now.format(n), Masker()) for n in range(first, last)]
        + [loglines.own(f"end {last}", "warning", IDS, now.format(last))]
    )


def test_a_shared_folder_holds_one_log_of_two_launches(tmp_path, run_driver):
    for first in (0, 10):
        store = LogStore(str(tmp_path), PATH)
        store.append(lines(first, first + 9))
    # What a shipper notes beside a log must not be taken for a part of it.
    Notes(tmp_path / PATH).write(Note(sent=1))
    read = json.loads(run_driver(DRIVER, json.dumps({"folder": str(tmp_path), "path": PATH}).encode()))

    assert ["attempt=1.log"] == read["sources"]
    expected = [f"line {n}" for n in range(9)] + ["end 9"] + [f"line {n}" for n in range(10, 19)] + ["end 19"]
    assert expected == [message["event"] for message in read["shown"]]
    assert {"info", "warning"} == {message["level"] for message in read["shown"]}


def test_segments_are_read_one_behind_the_other(run_driver):
    objects = [lines(0, 9).decode(), lines(10, 19).decode()]
    read = json.loads(run_driver(DRIVER, json.dumps({"objects": objects}).encode()))

    assert ["line 0", "end 9", "line 10", "end 19"] == [
        message["event"] for message in read["shown"] if message["event"] in ("line 0", "end 9", "line 10", "end 19")
    ]
    assert 20 == len(read["shown"])
