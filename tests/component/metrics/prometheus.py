"""A real Prometheus on the loopback, built from its source and kept in the cache by content."""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from cluster.commands import run_slowly
from cluster.programs.golang import Build, build_arguments, go, log
from cluster.programs.kept import content_key, contents, kept

_BUILDS = Path(__file__).parent / "builds"
#: Without the ways to find targets in clouds, which are most of its code.
PROMETHEUS = Build(
    "prometheus", {"prometheus": "github.com/prometheus/prometheus/cmd/prometheus"}, tags="remove_all_sd"
)
_STARTS_SECONDS = 60


def program() -> Path:
    """Prometheus; made when its sources have no build in the cache yet, which takes some minutes."""
    sources = _BUILDS / PROMETHEUS.name

    def make(folder: Path) -> None:
        run_slowly(
            [go(), *build_arguments(PROMETHEUS, "prometheus", folder / "prometheus")],
            "building prometheus",
            timeout=1200,
            log=log("prometheus"),
            cwd=sources,
            env={"CGO_ENABLED": "0"},
        )

    key = content_key(contents(sources), *PROMETHEUS.targets.values(), PROMETHEUS.tags)
    return kept(PROMETHEUS.name, key, make) / "prometheus"


class Prometheus:
    """A process that scrapes each second, and its answers."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def asked(self, path: str, **query: str) -> Any:
        """The data of an answer of its API."""
        answer = httpx.get(f"{self._url}/api/v1/{path}", params=query, timeout=20)
        assert 200 == answer.status_code, (query, answer.text)
        return answer.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now."""
        return self.asked("query", query=expression)["result"]  # type: ignore[no-any-return]


@contextlib.contextmanager
def scraping(folder: Path, targets: dict[str, int], rules: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes ports of this machine by their jobs' names, and evaluates the rules of a file."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{each}"]}]} for name, each in targets.items()
    ]
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": jobs,
    }
    # JSON is YAML too.
    (folder / "prometheus.yml").write_text(json.dumps(configuration))
    flags = [
        f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as said:
        process = subprocess.Popen([program(), *flags], stdout=said, stderr=said, cwd=folder)
    try:
        _wait(process, port, folder / "prometheus.log")
        yield Prometheus(port)
    finally:
        process.kill()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    ends = time.monotonic() + _STARTS_SECONDS
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/-/ready", timeout=5).status_code == 200:
                return
        assert None is process.poll(), said.read_text()
        assert time.monotonic() < ends, said.read_text()
        time.sleep(0.1)
