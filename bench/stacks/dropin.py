"""Our sidecar with Airflow's own runner: what a real Airflow's tasks become with our executor."""

import json
import os
import subprocess
from pathlib import Path

import msgspec
from bench import tasks
from bench.stacks import airflow, airlock

from airlock_runner.airflow import folder
from airlock_server.launching.local import leftovers
from airlock_server.launching.local.containers import Containers, Place
from airlock_wire.protocol.messages import BundleInfo, TaskInstance
from airlock_wire.workload import Execute


class _Containers(Containers):
    """The two processes of a launch, the second of them in Airflow's interpreter."""

    def __init__(self, place: Place, work: Execute, token: str, launcher: list[str], env: dict[str, str]) -> None:
        super().__init__(place, work, token, os.environ)
        self._command, self._env = launcher, env

    def _start_launcher(self) -> None:
        self.launcher = leftovers.start(
            lambda: subprocess.Popen(
                [*self._command, "--socket-dir", str(self._folder / "socket")],
                env=self._env,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        )


class Launches(airlock.Launches):
    """Launches by our sidecar, our launcher and Airflow's task runner, as this user."""

    name = "Airlock with Airflow's runner"

    def __init__(self, scratch: Path, url: str, marks: Path) -> None:
        home = scratch / "dropin"
        home.mkdir()
        super().__init__(home, url, marks)
        tasks.write(home / "dags", "airflow.sdk", marks)
        bundle = {
            "name": "bench",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(home / "dags")},
        }
        self._env = airflow.env(home, AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST=json.dumps([bundle]))
        # A setting that the launcher hides would make it begin anew, which no pod of ours has to.
        del self._env["AIRFLOW__API_AUTH__JWT_SECRET"]
        folder.copy(str(home))
        self._command = [str(airflow.python()), str(home / folder.NAME)]

    def made(self, ti: dict[str, object], token: str) -> Containers:
        """Returns the processes of one launch, not started."""
        work = Execute(
            ti=msgspec.convert(ti, TaskInstance),
            dag_rel_path=tasks.FILE,
            bundle_info=BundleInfo(name="bench"),
            log_path=f"{ti['id']}.log",
            judges=False,
        )
        return _Containers(self._place, work, token, self._command, self._env)
