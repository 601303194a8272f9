"""
A real PostgreSQL for tests: one server with a folder, a user and a socket of its own, which end with it.

PostgreSQL refuses to run as root, so root lends it another user.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from doubles import postgresql_programs as programs

#: The password is asked for, so that a test may look where it appears.
USER, PASSWORD = "airlock", "secret-of-postgresql"
#: Users that root may lend, the package's own first.
_LENT = ("postgres", "nobody")
_SECONDS = 60


class PostgreSQL:
    """
    A server that runs. ``stop`` and ``start`` are for tests of what its clients do meanwhile. With ``address`` it
    listens there too, on a port of its own.
    """

    def __init__(self, address: str = "") -> None:
        self._address = address
        self._port = 5432
        if address:
            with socket.create_server((address, 0)) as free:
                self._port = free.getsockname()[1]
        # A socket's path has at most 107 bytes, and pytest's folders are root's only.
        self._folder = Path(tempfile.mkdtemp(prefix="airlock-pg-"))
        self._user = None
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self._user = next(name for name in _LENT if name in names)
            shutil.chown(self._folder, self._user)
        self._folder.chmod(0o755)
        root = self._folder / "root"
        self._programs = programs.installed() or programs.unpacked(root)
        self._env = {**os.environ, "LD_LIBRARY_PATH": programs.libraries(root)} if root.exists() else None
        self._process: subprocess.Popen[bytes] | None = None
        self._make()
        self.start()

    def _make(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        # Sorted unlike SQLite does it, as most installations are.
        locale = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
        command = [str(self._programs / "initdb"), "-D", str(self._folder / "data"), "-U", USER]
        command += ["--pwfile", str(password)]
        command += ["-A", "scram-sha-256", "--encoding=UTF8", "--no-sync", *locale]
        done = subprocess.run(
            command,
            user=self._user,
            group=self._group,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            cwd="/",
        )
        assert 0 == done.returncode, done.stderr
        if self._address:
            with (self._folder / "data/pg_hba.conf").open("a") as file:
                file.write("host all all all scram-sha-256\n")

    @property
    def _group(self) -> int | None:
        return None if self._user is None else pwd.getpwnam(self._user).pw_gid

    def start(self) -> None:
        """Starts the server, and waits until it answers."""
        options = {
            "listen_addresses": self._address,
            "port": str(self._port),
            "shared_buffers": "16MB",
            "max_connections": "100",
            "fsync": "on",
        }
        options |= {"unix_socket_directories": str(self._folder), "log_min_messages": "fatal"}
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, user=self._user, group=self._group, env=self._env, stdout=log, stderr=log, cwd="/"
            )
        ends = time.monotonic() + _SECONDS
        while True:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                assert None is self._process.poll(), (self._folder / "log").read_text()
                assert time.monotonic() < ends, (self._folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends the server and with it every connection: in order, or by SIGQUIT as in a crash."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(_SECONDS)

    def kill(self) -> None:
        """Kills every process of the server, as an OOM killer or a lost machine does."""
        assert self._process is not None
        pid = self._process.pid
        # First it is stopped, so that it starts no other process meanwhile.
        self._process.send_signal(signal.SIGSTOP)
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait(_SECONDS)
        # The next server refuses to start while one of them has the shared memory.
        ends = time.monotonic() + _SECONDS
        while any(map(_runs, children)):
            assert time.monotonic() < ends, children
            time.sleep(0.01)

    def run(self, statement: str) -> None:
        """Executes a statement of the server's owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement.encode())

    def make(self, template: str | None = None) -> str:
        """Makes a database, empty or as a copy of another; returns its name."""
        name = f"d{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, name: str) -> None:
        """Removes a database, whoever is connected."""
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """Returns a database's URL, as in the settings."""
        port = f"&port={self._port}" if self._address else ""
        return f"postgresql://{USER}:{PASSWORD}@/{name}?host={self._folder}{port}"

    def address_of(self, name: str) -> str:
        """Returns the URL of a database as another host reaches it."""
        return f"postgresql://{USER}:{PASSWORD}@{self._address}:{self._port}/{name}"

    def close(self) -> None:
        """Ends the server and removes its folder."""
        if self._process is not None and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    """Tells whether a process exists and has not ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


@contextlib.contextmanager
def running() -> Iterator[PostgreSQL]:
    """Starts a server for the block. A machine that lacks PostgreSQL skips the test, and fails it in CI."""
    try:
        server = PostgreSQL()
    except programs.Missing as e:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(e))
    try:
        yield server
    finally:
        server.close()
