"""The process in front of a fetch: it shows, masked, what goes on behind it, and ends all of that, whatever it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from airlock_runner.airflow import folder

#: In Airflow's place: a bundle whose version says how it behaves.
MANAGER = """
import os, pathlib, signal, subprocess, sys, time

class Bundle:
    def __init__(self, version):
        self.version, self.path = version, pathlib.Path(os.environ["TREE"])

    def initialize(self):
        if self.version == "exits":
            os._exit(3)
        if self.version == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.version == "talks":
            print("x" * 100_000 + os.environ["MY_TOKEN"])
            print("at", os.environ["MY_TOKEN"], flush=True)
            sys.stderr.write("no end")
        if self.version in ("leaves", "hangs"):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.environ["MARK"]])
        if self.version == "hangs":
            print("hanging", flush=True)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.close(1), os.close(2)
            time.sleep(600)
        if self.version == "raises":
            raise SystemExit("not an Exception")

    def get_current_version(self):
        return self.version

class DagBundlesManager:
    def get_all_bundle_names(self):
        return ["sales"]

    def get_bundle(self, name, version):
        return Bundle(version)
"""
TOKEN = "t0ken-of-mine"


@pytest.fixture
def start(tmp_path):
    package = tmp_path / "packages/airflow/dag_processing/bundles"
    package.mkdir(parents=True)
    (package / "manager.py").write_text(MANAGER)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/f.py").write_text("x")
    folder.copy(str(tmp_path))

    def begin(version: str, deadline: str = "30") -> subprocess.Popen:
        env = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "packages"), "TREE": str(tmp_path / "tree"),
            "MY_TOKEN": TOKEN, "MARK": str(tmp_path / "mark"),
        }  # fmt: skip
        command = [
            sys.executable,
            str(tmp_path / folder.NAME),
            "bundle",
            "--deadline-seconds",
            deadline,
            "sales",
            version,
        ]
        return subprocess.Popen(
            [*command, str(tmp_path / "target")], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return begin


def ended(process):
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr


def left(tmp_path) -> list[str]:
    """What still runs of what a bundle started."""
    mark, found = str(tmp_path / "mark").encode(), []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in each.read_bytes():
                found.append(each.parent.name)
        except OSError:
            continue
    return found


def test_what_it_is_asked_for_is_there_in_one_line(start, tmp_path):
    code, stdout, stderr = ended(start("v1"))

    assert (0, "", ["f.py"]) == (code, stderr, [path.name for path in (tmp_path / "target").iterdir()])
    assert f"airlock-launcher: bundle 'sales', version v1, 1 files, 1 bytes, is in {tmp_path / 'target'}\n" == stdout


@pytest.mark.parametrize(("how", "says"), [("exits", "exit code 3"), ("killed", "signal 9"), ("raises", "exit code 1")])
def test_one_that_ends_without_a_word_is_told(start, tmp_path, how, says):
    code, _, stderr = ended(start(how))

    assert (1, False) == (code, (tmp_path / "target").exists())
    assert f"the process that fetched it ended with {says}; see the lines above" in stderr.splitlines()[-1]


def test_its_output_is_shown_masked_and_never_in_part(start):
    code, _, stderr = ended(start("talks"))

    assert ["(a line that is too long to show)", "at ***", "no end"] == stderr.splitlines()
    assert (0, False) == (code, TOKEN in stderr)


def test_what_it_leaves_running_is_not_waited_for_and_ends(start, tmp_path):
    code, _, stderr = ended(start("leaves"))

    assert (0, True, True) == (code, gone(tmp_path), (tmp_path / "target").exists()), stderr


@pytest.mark.parametrize("by", ["deadline", "signal"])
def test_one_that_hangs_and_does_not_listen_is_ended_with_all_that_it_started(start, tmp_path, by):
    process = start("hangs", "2" if by == "deadline" else "60")
    if by == "signal":
        assert "hanging\n" == process.stderr.readline()
        process.send_signal(signal.SIGTERM)
    code, _, stderr = ended(process)

    assert ((1 if by == "deadline" else 143), False) == (code, (tmp_path / "target").exists())
    assert ("it took longer than 2 s" in stderr) is (by == "deadline")
    assert gone(tmp_path)


def gone(tmp_path) -> bool:
    """A killed process's parent is gone: whoever adopted it takes a moment."""
    ends = time.monotonic() + 10
    while left(tmp_path):
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


def test_a_target_that_cannot_be_made_is_told(start, tmp_path):
    (tmp_path / "target.new").write_text("a file in the way")
    code, _, stderr = ended(start("v1"))

    assert (1, "its files could not be copied" in stderr.splitlines()[-1]) == (code, True), stderr
