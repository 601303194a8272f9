"""A sidecar between an Execution API that a test scripts and a launcher that a test plays."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from component.stores.servers import S3
from doubles.api import ScriptedApi
from doubles.launcher import PlayedLauncher
from doubles.runner import Runner
from doubles.sidecar import Sidecar, work

from airlock_wire.workload import Workload


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    served = ScriptedApi()
    yield served
    served.close()


@pytest.fixture
def make_sidecar(api: ScriptedApi) -> Iterator[Callable[..., Sidecar]]:
    """Makes a sidecar that is not started; settings as ``section__key=value``."""
    made: list[Sidecar] = []

    def make(workload: Workload | None = None, **settings: Any) -> Sidecar:
        named = {f"AIRLOCK__{key.upper()}": str(value) for key, value in settings.items()}
        made.append(Sidecar(api, workload or work(), named))
        return made[-1]

    yield make
    for sidecar in made:
        sidecar.clean()


@pytest.fixture
def sidecar(make_sidecar: Callable[..., Sidecar]) -> Sidecar:
    return make_sidecar().start()


@pytest.fixture
def make_launcher() -> Iterator[Callable[[Sidecar], PlayedLauncher]]:
    made: list[PlayedLauncher] = []

    def make(sidecar: Sidecar) -> PlayedLauncher:
        made.append(PlayedLauncher(sidecar))
        return made[-1]

    yield make
    for launcher in made:
        launcher.clean()


@pytest.fixture
def make_runner() -> Iterator[Callable[..., Runner]]:
    """Makes a real launcher and runner; their sidecar's folder is where the bundle is."""
    made: list[Runner] = []

    def make(sidecar: Sidecar, body: str, **how: Any) -> Runner:
        made.append(Runner(sidecar, body, **how))
        return made[-1]

    yield make
    for runner in made:
        runner.clean()


@pytest.fixture
def launcher(sidecar: Sidecar, make_launcher: Callable[[Sidecar], PlayedLauncher]) -> PlayedLauncher:
    return make_launcher(sidecar)


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3]:
    server = S3(tmp_path)
    server.start()
    yield server
    server.stop()
