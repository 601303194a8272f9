"""Object stores on the loopback: real servers, built from their sources and kept in the cache by content."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from cluster.commands import run, run_slowly
from cluster.programs.golang import Build, build_arguments, go, log
from cluster.programs.kept import content_key, contents, kept

_BUILDS = Path(__file__).parent / "builds"
VERSITYGW = Build("versitygw", {"versitygw": "github.com/versity/versitygw/cmd/versitygw"})

BUCKET = "logs"
KEY, SECRET = "a-key", "a-secret-of-the-store"


def program(build: Build) -> Path:
    """The build's program; made when its sources have no build in the cache yet, which takes a minute or two."""
    sources = _BUILDS / build.name
    (target,) = build.targets

    def make(folder: Path) -> None:
        run_slowly(
            [go(), *build_arguments(build, target, folder / target)],
            f"building {target}",
            timeout=1200,
            log=log(target),
            cwd=sources,
            env={"CGO_ENABLED": "0"},
        )

    return kept(build.name, content_key(contents(sources), *build.targets.values()), make) / target


def azurite() -> Path:
    """Azurite's blob server as npm installs it from the lock, in the cache."""
    sources = _BUILDS / "azurite"

    def make(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(sources / name, folder)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
        run(["npm", "ci", *flags], timeout=600)

    return kept("azurite", content_key(contents(sources)), make) / "node_modules/.bin/azurite-blob"


class Server:
    """A store's process, which a test may stop, start again, and freeze."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str | Path]:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        said = (self.folder / "server.log").open("ab")
        env = {"PATH": os.environ["PATH"], "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
        self.process = subprocess.Popen(self.command(), stdout=said, stderr=said, env=env, cwd=self.folder)
        said.close()
        ends = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert time.monotonic() < ends, (self.folder / "server.log").read_text()
                assert None is self.process.poll(), (self.folder / "server.log").read_text()
                time.sleep(0.05)

    def freeze(self) -> None:
        """It takes connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


class S3(Server):
    """The Versity gateway over a folder: an object is a file, so what a test sees does not pass through any client."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.objects = folder / "data" / BUCKET
        self.objects.mkdir(parents=True)
        self.credentials = folder / "credentials"
        self.credentials.mkdir()
        self.give(SECRET)

    def command(self) -> list[str | Path]:
        return [program(VERSITYGW), "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", self.folder / "data"]

    def give(self, secret: str) -> None:
        (self.credentials / "AWS_ACCESS_KEY_ID").write_text(KEY)
        (self.credentials / "AWS_SECRET_ACCESS_KEY").write_text(f"{secret}\n")

    def settings(self, **changes: object) -> dict[str, object]:
        """What a sidecar is set to, as ``make_sidecar`` takes it."""
        mine = {"store": f"s3://{BUCKET}/prefix", "endpoint": self.url, "credentials_dir": self.credentials}
        return {f"logs__{name}": value for name, value in ({"chunk_seconds": 0.2} | mine | changes).items()}

    def names(self) -> list[str]:
        """The objects' names, in their order."""
        # Beside the prefix the server keeps what it is still receiving.
        folder = self.objects / "prefix"
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def content(self) -> bytes:
        """All objects one behind the other in the order of their names, as Airflow's readers take them."""
        return b"".join((self.objects / "prefix" / name).read_bytes() for name in self.names())

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.content().splitlines()]

    def printed(self) -> list[str]:
        """What the task printed."""
        return [str(line["event"]) for line in self.lines() if line["logger"] == "task.stdout"]


class Azure(Server):
    def command(self) -> list[str | Path]:
        return [azurite(), "--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--blobPort", str(self.port)]
