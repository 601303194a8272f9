"""`airlock` as a person calls it, in a folder and with a home of the test's own."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def airlock(tmp_path):
    """Calls it with words, and with environment variables by name; returns the process that has ended."""

    def call(*words, **environ):
        return subprocess.run(
            [sys.executable, "-m", "airlock_server", *map(str, words)],
            env={"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(tmp_path / "home"), **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return call
