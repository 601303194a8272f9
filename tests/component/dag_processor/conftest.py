"""The DAG processor as a person runs it, with user ids of their own for the parses where this is root."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from doubles import interpreter, launch_users

#: A wait ends after so many seconds, whatever it waits for.
PATIENCE = 60.0


@pytest.fixture(scope="session")
def workshop():
    """A folder that any user can enter, with an interpreter in it."""
    folder = Path(tempfile.mkdtemp(prefix="airlock-parsing-", dir="/tmp"))
    folder.chmod(0o755)
    interpreter.make(folder)
    yield folder
    shutil.rmtree(folder)


class Processing:
    """A bundle, a home, and the processor's process."""

    def __init__(self, workshop, folder):
        self.python = str(workshop / "venv" / "bin" / "python")
        self.bundle, self.home = folder / "dags", folder / "home"
        self.bundle.mkdir()
        self.process = None
        self.environ = {
            "PATH": os.environ["PATH"],
            "AIRLOCK_HOME": str(self.home),
            "AIRLOCK__CORE__DAGS_FOLDER": str(self.bundle),
            "AIRLOCK__LOCAL__RUNNER_PYTHON": self.python,
        }
        self.output = folder / "output.txt"

    def write(self, code, file="d.py"):
        """Puts a file into the bundle, as an editor does: beside it, and then over it."""
        path = self.bundle / file
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part")
        fresh.write_text(textwrap.dedent(code))
        fresh.replace(path)

    def dag(self, dag_id, file=None):
        self.write(f"from airlock.sdk import DAG\nwith DAG({dag_id!r}): ...\n", file or f"{dag_id}.py")

    def start(self, *words, **settings):
        environ = self.environ | {f"AIRLOCK__{name.upper()}": str(value) for name, value in settings.items()}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [self.python, "-I", "-m", "airlock_server", "dag-processor", *words],
                env=environ, cwd="/", stdout=output, stderr=output,
            )  # fmt: skip
        return self

    def run(self, *words, **settings):
        """Runs it to its end, by default for one parse of each file."""
        self.start(*(words or ("-n", "1")), **settings)
        assert 0 == self.process.wait(PATIENCE), self.output.read_text()
        return self

    def command(self, *words):
        """Another command on the same home."""
        subprocess.run([sys.executable, "-m", "airlock_server", *words], env=self.environ, check=True, timeout=PATIENCE)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise

    def ask(self, query):
        with contextlib.closing(sqlite3.connect(f"file:{self.home / 'airlock.db'}?mode=ro", uri=True)) as db:
            return db.execute(query).fetchall()

    def dags(self):
        """The DAGs that may run, with their files."""
        return dict(self.ask("SELECT dag_id, relative_fileloc FROM dag WHERE NOT is_stale ORDER BY dag_id"))

    def errors(self):
        return dict(self.ask("SELECT relative_fileloc, stacktrace FROM import_error"))

    def wait_for(self, fact):
        """Waits until ``fact()`` is true; a database that is not there yet is false."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            with contextlib.suppress(sqlite3.OperationalError):
                if fact():
                    return
            assert None is self.process.poll(), self.output.read_text()
            time.sleep(0.02)
        pytest.fail(f"it did not happen in {PATIENCE:g} s; the processor said:\n{self.output.read_text()}")

    def log_of(self, file):
        """The output of a file, empty before there is any."""
        logs = (self.home / "logs" / "dag_processor" / "latest").glob(f"*/{file}.log")
        return "".join(log.read_text() for log in logs)


@pytest.fixture
def processing(workshop):
    folder = Path(tempfile.mkdtemp(prefix="airlock-bundle-", dir="/tmp"))
    folder.chmod(0o755)
    processing = Processing(workshop, folder)
    processing.bundle.chmod(0o755)
    with launch_users.using():
        yield processing
        processing.stop()
    shutil.rmtree(folder)


@pytest.fixture
def repository(tmp_path):
    """A git repository, and what a person does to it."""

    class Repository:
        path = tmp_path / "repository"

        def git(self, *words):
            environ = {
                "PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
                "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
            }  # fmt: skip
            done = subprocess.run(
                ["git", "-C", str(self.path), *words],
                env=environ,
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            return done.stdout.strip()

        def commit(self, **files):
            """Makes a commit with these files, the others as before, and returns its version."""
            for name, text in files.items():
                path = self.path / name.replace("__", "/")
                path = path.with_name(f"{path.name}.py")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            self.git("add", "--all")
            self.git("commit", "--quiet", "-m", "change")
            return self.git("rev-parse", "HEAD")

    repository = Repository()
    repository.path.mkdir()
    repository.git("init", "--quiet", "--initial-branch", "main")
    return repository
