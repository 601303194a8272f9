"""
Airflow's own runner, started by our launcher in Airflow's interpreter, behind a real sidecar of ours. Every frame of
every launch is held against Airflow's schema when its test is over.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from doubles.api import DAG_RUN, Answer, ScriptedApi
from doubles.sidecar import TI, Sidecar, work

from airlock_runner.airflow import folder
from airlock_wire.protocol.messages import BundleInfo
from airlock_wire.record import Record

HERE = Path(__file__).parent
SECONDS = 90.0


class Ended(NamedTuple):
    """A launch that is over: the launcher's exit code and what it said, the sidecar's record, the task's log."""

    code: int
    stderr: str
    record: Record
    log: list[dict[str, Any]]

    def events(self, logger: str) -> list[str]:
        return [line["event"] for line in self.log if line["logger"] == logger]

    def text(self) -> str:
        return "\n".join(json.dumps(line) for line in self.log)


class Pod:
    """One launch: the sidecar and the launcher as two processes, and the kubelet's part played by the test."""

    def __init__(self, api: ScriptedApi, python: Path, launcher: Path, env: dict[str, str], capture: Path) -> None:
        self.api = api
        self.env = env
        self._python, self._launcher = python, launcher
        self.sidecar: Sidecar | None = None
        self.process: subprocess.Popen[bytes] | None = None
        #: Whether the image has the Airflow that the tests know.
        self.able = True
        #: Every frame of every launch, of its sidecar's own capture.
        self.capture = capture
        self.settings: dict[str, str] = {"AIRLOCK__LOGGING__CAPTURE_FILE": str(capture)}
        self._stderr: Path | None = None

    def start(
        self,
        task_id: str,
        file: str = "outcomes.py",
        dag_id: str = "contract",
        bundle: str = "contract",
        version: str | None = None,
        python: str | os.PathLike[str] | None = None,
        before: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        grace_seconds: float = 60,
        token: str = "token-0",
        limit: float | None = None,
        **ti: Any,
    ) -> Pod:
        self.able = python is None
        ref = msgspec.structs.replace(TI, task_id=task_id, dag_id=dag_id, **ti)
        launch = work(
            ti=ref,
            dag_rel_path=file,
            bundle_info=BundleInfo(name=bundle, version=version),
            execution_timeout_seconds=limit,
        )
        self.sidecar = Sidecar(self.api, launch, self.settings).start(token)
        self._stderr = self.sidecar.folder / "launcher.stderr"
        command = [*before, str(python or self._python), str(self._launcher)]
        command += [
            "--socket-dir",
            str(self.sidecar.folder / "socket"),
            "--grace-seconds",
            str(grace_seconds),
            *options,
        ]
        with self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                command, env=self.env, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, cwd="/"
            )
        return self

    def wait_for(self, event: str, seconds: float = SECONDS) -> None:
        """Until this is in the task's log."""
        ends = time.monotonic() + seconds
        while not (self.sidecar.log_path.exists() and event in self.sidecar.log_path.read_text()):
            assert time.monotonic() < ends, f"{event!r} is not in the log"
            time.sleep(0.02)

    def end(self) -> Ended:
        """The launcher's own end, then SIGTERM for the sidecar, as a kubelet sends it."""
        code = self.process.wait(SECONDS)
        record = self.sidecar.end()
        return Ended(code, self._stderr.read_text(), record, self.sidecar.log())

    def run(self, task_id: str, **how: Any) -> Ended:
        return self.start(task_id, **how).end()

    def clean(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        sidecar, self.sidecar = self.sidecar, None
        if sidecar is not None:
            sidecar.clean()


class Api(ScriptedApi):
    """An Execution API with a variable, a secret connection and the XComs that the task pushed."""

    def __init__(self) -> None:
        super().__init__()
        self.context: dict[str, Any] = {"dag_run": DAG_RUN, "max_tries": 0, "should_retry": False}
        connection = dict.fromkeys(("host", "schema", "login", "port", "extra")) | {
            "conn_id": "db", "conn_type": "generic", "password": "open-sesame"
        }  # fmt: skip
        self.answers |= {
            "/run": lambda _: Answer(200, self.context),
            "/variables/greeting": lambda _: Answer(200, {"key": "greeting", "value": "hello"}),
            "/connections/db": lambda _: Answer(200, connection),
        }

    def answer(self, call: Any) -> Answer:
        found = super().answer(call)
        # What is pushed is taken; the scripted API itself knows no POST.
        return Answer(201, {"message": "done"}) if call.method == "POST" and found.status == 404 else found

    def pushed(self, key: str = "return_value") -> Any:
        """The one XCom of this key."""
        (body,) = (call.body for call in self.calls if call.method == "POST" and f"/{key}" in call.path)
        return body

    def bodies(self, end: str) -> list[Any]:
        """What was sent to the paths with this end, in order."""
        return [call.body for call in self.calls if call.path.partition("?")[0].endswith(end)]


@pytest.fixture(scope="session")
def launcher_folder(tmp_path_factory) -> Path:
    """The folder that is put into foreign images."""
    parent = tmp_path_factory.mktemp("airlock")
    folder.copy(str(parent))
    return parent / folder.NAME


@pytest.fixture
def api():
    served = Api()
    yield served
    served.close()


@pytest.fixture
def pod(api, airflow_python, airflow_env, launcher_folder, frames_schema, tmp_path):
    bundle = {
        "name": "contract",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(HERE / "dags")},
    }
    env = airflow_env | {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle])}
    del env["PYTHONDONTWRITEBYTECODE"]
    made = Pod(api, airflow_python, launcher_folder, env, tmp_path / "frames")
    yield made
    if made.process is None:
        # Its test was not for this machine.
        return
    made.clean()
    met = frames_schema.check(made.capture)
    # An image that cannot run it may end before it is told anything.
    assert met["StartupDetails"] > 0 or not made.able
