"""
The local executor: parses a DAG file, queues one try of one task, and launches it until its outcome is known.

It is the owner of these task instances: it decides what a lost launch means (`verdicts`), and writes that into the
store. It does not run user code; a runner behind a sidecar does, also for parsing.
"""

import os
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from airlock_server.installation import Installation
from airlock_server.launching.local import isolation
from airlock_server.launching.local.containers import Containers, Place, SetUpWrongly
from airlock_server.launching.local.decision import Decision, Next, Used, decide
from airlock_server.launching.local.users import NoUserLeft
from airlock_server.rules.assets import Declarations
from airlock_server.rules.triggering import DagFacts
from airlock_server.store import tries
from airlock_server.store.engine.types import now
from airlock_server.store.runs import dags as known_dags
from airlock_server.store.tries import Outcome
from airlock_wire import ids, logplace, workload
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.process import backoff, kernel
from airlock_wire.protocol import dags
from airlock_wire.protocol.messages import BundleInfo, DagFileParseRequest, DagFileParsingResult, TaskInstance
from airlock_wire.record import Reason, Record
from airlock_wire.states import TaskInstanceState

#: The bundle of every DAG file that is run by path on this machine.
BUNDLE = "local"
_RELAUNCH_SECONDS = 0.2


class CannotParse(Exception):
    """The file could not be parsed. The text has a line for each cause, with file, line and fix."""


class CannotLaunch(Exception):
    """The processes of a launch cannot be started on this machine, and another try would end in the same way."""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a DAG file."""

    dags: list[dags.SerializedDag]


class Executor:
    """Launches on this machine, for one bundle folder. ``show`` gets each line of a launch's log as it comes."""

    def __init__(
        self,
        installation: Installation,
        root: Path,
        environ: Mapping[str, str],
        show: Callable[[bytes], None],
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Prepares launches; ``variables`` are user code's environment variables, by name and value."""
        # This process has the tokens it mints, and holds the sidecars' memory open.
        kernel.hide()
        # Processes that user code leaves behind become children of this one, which ends them with their launch.
        kernel.take_orphans()
        self._installation = installation
        self._environ = environ
        self._show = show
        self._current: Containers | None = None
        # Reentrant, because a signal handler calls ``stop``, in the very thread that may hold the lock.
        self._lock = threading.RLock()
        self.stopping = False
        local = installation.settings.local
        python = local.runner_python or sys.executable
        needed = [Path(python), root]
        if not local.runner_python:
            needed += [Path(sysconfig.get_paths()["stdlib"]), *_packages()]
        self.isolation = isolation.choose(local.runner_uid, installation.home.path, needed)
        self._place = Place(
            api_url="",
            log_dir=installation.home.path / "logs",
            bundle_root=root,
            runner_python=python,
            runner_uids=self.isolation.uids,
            heartbeat_seconds=local.heartbeat_seconds,
            max_frame_bytes=local.max_frame_bytes,
            grace_seconds=local.grace_seconds,
            log_frames=installation.settings.logging.frames,
            capture_file=installation.settings.logging.capture_file,
            variables=variables or {},
        )
        self.relaunches = 0

    def serve_at(self, url: str) -> None:
        """Sets the address of the Execution API, which launches that execute need."""
        self._place = msgspec.structs.replace(self._place, api_url=url)

    def stop(self) -> None:
        """Ends the current launch in an orderly way, and starts no other."""
        with self._lock:
            self.stopping = True
            if self._current is not None:
                self._current.stop()

    # --- parsing ---

    def parse(self, file: str) -> Parsed:
        """Parses a DAG file below the root; raises CannotParse."""
        seconds = self._installation.settings.parse.timeout_seconds
        path = self._place.bundle_root / file
        request = DagFileParseRequest(file=str(path), bundle_path=str(self._place.bundle_root), bundle_name=BUNDLE)
        work = workload.Parse(request=request, log_path=f"parse/{_log_name(file)}.log", timeout_seconds=seconds)
        try:
            _, record, result = self._launch(work, token="")
        except CannotLaunch as e:
            raise CannotParse(f"{path}: {e}") from e
        if result is None:
            raise CannotParse(_no_result(path, record, seconds))
        try:
            parsed = msgspec.json.decode(result, type=DagFileParsingResult)
            if parsed.import_errors:
                raise CannotParse("\n".join(parsed.import_errors.values()))
            return Parsed(dags=[dags.disclose(envelope) for envelope in parsed.serialized_dags])
        except (msgspec.MsgspecError, RecursionError) as e:
            # The SDK checks the same when the DAG is made, so this file did not use it.
            raise CannotParse(f"{path}:1: InvalidDag: {e}") from e

    # --- executing ---

    def queue(
        self,
        dag: dags.SerializedDag,
        task: dags.SerializedTask,
        *,
        run_id: str,
        map_index: int,
        try_number: int,
        conf: Any,
    ) -> str:
        """Queues a try and returns the task instance's id. Raises airlock_server.store.errors.StoreError."""

        def write(conn: Any) -> str:
            tries.claim_dag(conn, dag.dag_id, BUNDLE)
            known_dags.describe(conn, dag.dag_id, DagFacts(tags=dag.tags))
            return tries.queue_task(
                conn,
                TaskInstanceKey(dag.dag_id, run_id, task.task_id, map_index),
                try_number=try_number,
                max_tries=task.retries,
                conf=conf,
                now=now(),
                assets=Declarations(tuple(dags.declared(task.inlets)), tuple(dags.declared(task.outlets))),
            )

        return self._installation.database.write(write)

    def run(self, ti_id: str, file: str, task: dags.SerializedTask) -> tuple[Outcome, Record | None]:
        """Launches until the try has ended; returns how it ended, and the last launch's record."""
        database = self._installation.database
        budget = self._installation.settings.local.infra_budget
        used = Used()
        while True:
            token = self._installation.tokens.mint_workload(ti_id)
            try:
                began, record, _ = self._launch(self._work(ti_id, file, task), token)
            except CannotLaunch as e:
                record, decision = None, Decision(Next.CLOSE, TaskInstanceState.FAILED, f"CannotLaunch: {e}")
                break
            decision = decide(
                record, began=began, retries=task.retries, infra_budget=budget, used=used, stopping=self.stopping
            )
            if decision.next is not Next.AGAIN:
                break
            expired = record is not None and record.reason is Reason.TOKEN_EXPIRED
            used = Used(used.infra + (not expired), used.tokens + expired)
            database.write(lambda conn: tries.requeue(conn, ti_id))
            self.relaunches += 1
            time.sleep(backoff.scattered(_RELAUNCH_SECONDS, 0.5, 1.5))
        if decision.next is Next.CLOSE and decision.state is not None:
            state, why = decision.state, decision.why
            database.write(lambda conn: tries.close(conn, ti_id, state, why))
        elif record is not None:
            why = f"{record.reason.value}: {record.message}".rstrip(": ")
            database.write(lambda conn: tries.note_reason(conn, ti_id, why))
        outcome = database.read(lambda conn: tries.outcome(conn, ti_id))
        assert outcome is not None  # noqa: S101 - it was queued here
        return outcome, record

    def log_file(self, outcome: Outcome) -> Path:
        """Returns the path of the try's log."""
        return self._place.log_dir / _log_path(outcome)

    def _work(self, ti_id: str, file: str, task: dags.SerializedTask) -> workload.Execute:
        row = self._installation.database.read(lambda conn: tries.outcome(conn, ti_id))
        assert row is not None  # noqa: S101 - it was queued here
        ti = TaskInstance(
            id=ti_id,
            task_id=row.key.task_id,
            dag_id=row.key.dag_id,
            run_id=row.key.run_id,
            try_number=row.try_number,
            map_index=row.key.map_index,
            dag_version_id=row.dag_version_id,
        )
        return workload.Execute(
            ti=ti,
            dag_rel_path=file,
            bundle_info=BundleInfo(name=BUNDLE),
            log_path=_log_path(row),
            execution_timeout_seconds=task.execution_timeout_seconds,
            access=workload.Access(asset_events=_claimable(task)),
        )

    def _launch(self, work: workload.Workload, token: str) -> tuple[bool, Record | None, bytes | None]:
        """
        Launches once. Returns whether user code began, the sidecar's record, and the result of a launch in parse mode.
        Raises CannotLaunch.
        """
        try:
            return self._launch_once(work, token)
        except (SetUpWrongly, NoUserLeft, OSError) as e:
            raise CannotLaunch(str(e)) from e

    def _launch_once(self, work: workload.Workload, token: str) -> tuple[bool, Record | None, bytes | None]:
        with Containers(self._place, work, token, self._environ) as containers:
            reader = threading.Thread(target=self._follow, args=(containers.output[0],), daemon=True)
            reader.start()
            with self._lock:
                self._current = containers
                if self.stopping:
                    containers.stop()
            try:
                record = containers.wait()
            finally:
                with self._lock:
                    self._current = None
            containers.end_output()
            reader.join(5.0)
            return containers.began, record, containers.parsed()

    def _follow(self, fd: int) -> None:
        buffer = b""
        while piece := os.read(fd, 65536):
            *lines, buffer = (buffer + piece).split(b"\n")
            for line in lines:
                self._show(line)


def _claimable(task: dags.SerializedTask) -> tuple[str, ...]:
    """
    Returns the assets that a success may claim, for the sidecar: the outlets, and every asset where an alias is one of
    them, because nobody knows beforehand what it is given. The server holds them against the declarations.
    """
    outlets = dags.declared(task.outlets)
    if any(each.type == "AssetAlias" for each in outlets):
        return ("*",)
    return tuple(sorted({text for each in outlets for text in (each.name, each.uri) if text}))


def _log_name(file: str) -> str:
    """
    Returns a file's name as one part of a path: characters that an id may not have become ``_``; a long name is cut.
    """
    plain = "".join(c if ids.problem(c) == "" else "_" for c in Path(file).stem)
    return plain.encode()[: ids.MAX_ID_BYTES].decode(errors="ignore")


def _log_path(row: Outcome) -> str:
    key = row.key
    return logplace.log_path(key.dag_id, key.run_id, key.task_id, key.map_index, row.try_number)


def _packages() -> list[Path]:
    """Returns the folders of the packages that a runner imports, without importing them."""
    specs = (find_spec(name) for name in ("airlock_runner", "airlock_wire", "airlock.sdk", "msgspec"))
    return [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin is not None]


def _no_result(path: Path, record: Record | None, seconds: float) -> str:
    if record is not None and record.reason is Reason.TIMED_OUT:
        return (
            f"{path}:1: ImportTimeout: importing it took longer than {seconds:g} s and was stopped; move slow work "
            "from the top of the file into a task, or set AIRLOCK__PARSE__TIMEOUT_SECONDS"
        )
    how = f": {record.message}" if record is not None and record.message else ""
    return f"{path}:1: ImportCrashed: the process that imported it ended without a result{how}; see its output above"
