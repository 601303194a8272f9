"""The searching task, launched as root with a UID of its own for the runner, and as one plain user."""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles import interpreter

HERE = Path(__file__).parent
PLAIN_UID = 50123


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A folder that any user can enter, with an interpreter and the DAG file in it."""
    if os.getuid() != 0:
        reason = "only root can give the runner a user of its own"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="airlock-isolation-", dir="/tmp"))
    folder.chmod(0o755)
    interpreter.make(folder)
    (folder / "dags").mkdir()
    shutil.copy(HERE / "dags" / "search.py", folder / "dags")
    shutil.copy(HERE / "drivers" / "launch.py", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def alone() -> Iterator[None]:
    """
    One search at a time on this machine: two of one user read each other's memory, and so what the other has read.
    """
    with Path(tempfile.gettempdir(), "airlock-isolation.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def search(workshop: Path, alone: None) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs the search; ``same_user``: everything is one plain user's. ``plant``: the channel of a positive control."""
    home = Path(tempfile.mkdtemp(prefix="airlock-home-", dir="/tmp"))

    def run(*, same_user: bool, plant: str = "") -> dict[str, Any]:
        python = str(workshop / "venv" / "bin" / "python")
        own: dict[str, Any] = {"user": PLAIN_UID, "group": PLAIN_UID, "extra_groups": []} if same_user else {}
        if same_user:
            os.chown(home, PLAIN_UID, PLAIN_UID)
        done = subprocess.run(
            [python, str(workshop / "launch.py"), str(workshop / "dags" / "search.py"), python, plant],
            env={"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(home), "HOME": str(home)},
            cwd="/",
            capture_output=True,
            timeout=300,
            check=False,
            **own,
        )
        assert 0 == done.returncode, done.stderr.decode()
        result: dict[str, Any] = json.loads(done.stdout)
        assert "success" == result["state"], result
        return result

    yield run
    shutil.rmtree(home)
    for leak in Path("/dev/shm").glob("leak-*"):
        leak.unlink()
