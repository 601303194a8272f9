"""
The executor of the tests' Airflow, imported by its scheduler and API server.

A DAG id's first word says how its task instances are run. Some are run as LocalExecutor runs them, by Airflow's own
supervisor: with Airflow's runner (``theirs``), or with ours, by the coordinator of its queue (``behind``). The others are
run by our sidecar and our launcher, as two processes, with the kubelet's part played here: with Airflow's runner
(``ours``), or with ours (``runner``).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import heard
from airflow.configuration import conf
from airflow.executors.local_executor import LocalExecutor
from airflow.utils.state import TaskInstanceState

#: Ends after which the task instance has the state that its runner reported, or is another launch's.
ORDERLY = {"Succeeded", "Skipped", "Failed", "Retry", "Deferred", "Rescheduled", "AwaitingInput"}
ORDERLY |= {"Superseded", "AlreadyFinished"}


class Launch:
    """A sidecar and a launcher, until both have ended."""

    def __init__(self, workload):
        way = workload.ti.dag_id.partition("_")[0]
        self.folder = Path(tempfile.mkdtemp(prefix=f"{way}-", dir=os.environ["PEER_FOLDER"]))
        for name in ("socket", "state"):
            (self.folder / name).mkdir()
        (self.folder / "workload.json").write_text(json.dumps(execute(workload)))
        self.launcher = self.code = None
        with (self.folder / "stderr").open("wb") as said:
            self.sidecar = self._sidecar(workload.token, said)
            ours = workload.ti.dag_id.startswith("runner_")
            self.launcher = subprocess.Popen(
                self._our_runner() if ours else self._airflows_runner(), stdin=subprocess.DEVNULL, stderr=said, cwd="/"
            )

    def _sidecar(self, token, said):
        read, write = os.pipe()
        os.write(write, token.encode())
        os.close(write)
        env = {
            "PATH": os.environ["PATH"],
            "AIRLOCK__API__URL": conf.get("core", "execution_api_server_url").rstrip("/"),
            "AIRLOCK__SIDECAR__WORKLOAD_FILE": str(self.folder / "workload.json"),
            "AIRLOCK__SIDECAR__SOCKET_DIR": str(self.folder / "socket"),
            "AIRLOCK__SIDECAR__STATE_DIR": str(self.folder / "state"),
            "AIRLOCK__SIDECAR__LOG_DIR": conf.get("logging", "base_log_folder"),
            "AIRLOCK__SIDECAR__RECORD_FILE": str(self.folder / "record.json"),
            "AIRLOCK__SIDECAR__TOKEN_FD": str(read),
            "AIRLOCK__SIDECAR__DIE_WITH_PARENT": "true",
            "AIRLOCK__LOGGING__CAPTURE_FILE": str(self.folder / "frames"),
        }
        # A SIGTERM that comes before the sidecar waits for it must not end it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            return subprocess.Popen(
                [os.environ["PEER_PYTHON"], "-m", "airlock_sidecar"],
                env=env, pass_fds=[read], stdout=subprocess.DEVNULL, stderr=said,
            )  # fmt: skip
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(read)

    def _airflows_runner(self):
        return [sys.executable, os.environ["PEER_LAUNCHER"], "--socket-dir", str(self.folder / "socket")]

    def _our_runner(self):
        command = [os.environ["PEER_PYTHON"], "-m", "airlock_runner", "--socket-dir", str(self.folder / "socket")]
        return [*command, "--bundle-root", os.environ["PEER_OUR_DAGS"]]

    def ended(self):
        """Whether both have ended; the sidecar is told to end once the launcher has."""
        if self.code is None and (code := self.launcher.poll()) is not None:
            self.code = code
            self.sidecar.send_signal(signal.SIGTERM)
        return self.code is not None and self.sidecar.poll() is not None

    def state(self):
        """What the executor says of it: all but a crash is in the database already. A lost sidecar leaves no record."""
        record = self.folder / "record.json"
        reason = json.loads(record.read_text())["reason"] if record.exists() else "SidecarLost"
        return TaskInstanceState.SUCCESS if reason in ORDERLY else TaskInstanceState.FAILED


def execute(workload):
    """Our workload, of Airflow's."""
    given = json.loads(workload.model_dump_json())
    fields = ("id", "task_id", "dag_id", "run_id", "try_number", "dag_version_id", "map_index", "hostname",
              "context_carrier", "queue")  # fmt: skip
    return {
        "mode": "execute",
        "ti": {name: given["ti"][name] for name in fields},
        "dag_rel_path": given["dag_rel_path"],
        "bundle_info": {name: given["bundle_info"].get(name) for name in ("name", "version")},
        "log_path": given["log_path"],
        "judges": False,
        "access": {
            "xcom_writes": None,
            "deferrals": ["late_trigger.Heard", "airflow.providers.*.triggers.*Trigger"],
            "asset_events": ["*"],
        },
        "sentry_integration": given["sentry_integration"],
    }


class EitherWay(LocalExecutor):
    """LocalExecutor, and launches of ours beside its own."""

    serve_logs = False

    def start(self):
        super().start()
        #: The launch that counts for each key; an older one's end says nothing any more.
        self.launches = {}
        self.older = []

    def _process_workloads(self, workload_list):
        theirs = []
        for workload in workload_list:
            if workload.ti.dag_id.startswith(("theirs_", "behind_")):
                theirs.append(workload)
                continue
            del self.queued_tasks[workload.key]
            self.running.add(workload.key)
            if workload.key in self.launches:
                self.older.append(self.launches[workload.key])
            self.launches[workload.key] = Launch(workload)
        super()._process_workloads(theirs)

    def sync(self):
        super().sync()
        self.older = [launch for launch in self.older if not launch.ended()]
        for key, launch in list(self.launches.items()):
            if launch.ended():
                del self.launches[key]
                self.change_state(key, launch.state())

    def get_event_buffer(self, dag_ids=None):
        events = super().get_event_buffer(dag_ids)
        for key, (state, _) in events.items():
            if state in (TaskInstanceState.SUCCESS, TaskInstanceState.FAILED):
                heard.note(os.environ["PEER_FOLDER"], key.dag_id, key.task_id)
        return events

    def end(self):
        for launch in [*self.launches.values(), *self.older]:
            launch.launcher.kill()
        super().end()
