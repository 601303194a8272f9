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
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from airlock_server import dag_settings
from airlock_server.installation import Installation
from airlock_server.launching.local import isolation, parsing
from airlock_server.launching.local.containers import Containers, Place, SetUpWrongly, launcher_environ
from airlock_server.launching.local.decision import Decision, Next, Used, decide
from airlock_server.launching.local.parsing import CannotParse, FileParse, FileResult, Parsed
from airlock_server.launching.local.users import NoUserLeft
from airlock_server.launching.local.warm import Pool, Warm
from airlock_server.rules.assets import Declarations
from airlock_server.rules.triggering import DagFacts
from airlock_server.store import tries
from airlock_server.store.engine.types import now
from airlock_server.store.runs import dags as known_dags
from airlock_server.store.tries import Outcome
from airlock_wire import logplace, workload
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask, declared
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.process import backoff, kernel
from airlock_wire.protocol.messages import BundleInfo
from airlock_wire.record import Reason, Record
from airlock_wire.states import TaskInstanceState

#: The bundle of every DAG file that is run by path on this machine.
BUNDLE = "local"
_RELAUNCH_SECONDS = 0.2
#: The ends of a launch after which its warm parent forks another.
_ENDED_WELL = frozenset({Reason.PARSED, Reason.ANSWERED})
#: A trigger runs in a process of the author's here, so its class may be any. Some need their own names.
_EVERY_TRIGGER = ("*", *workload.HARMFUL_TRIGGERS)


class CannotLaunch(Exception):
    """The processes of a launch cannot be started on this machine, and another try would end in the same way."""


class Launch(NamedTuple):
    """One launch: whether user code began, the sidecar's record, a parse's answer, and whether it took too long."""

    began: bool
    record: Record | None
    answer: bytes | None
    late: bool


class _Limit:
    """Ends a launch at once after some seconds, unless it is lifted before; None: never."""

    def __init__(self, containers: Containers, seconds: float | None) -> None:
        self.passed = False
        self._containers = containers
        self._timer = None if seconds is None else threading.Timer(seconds, self._pass)
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def lift(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _pass(self) -> None:
        self.passed = True
        # The first call leaves it time to end in an orderly way, the second none.
        self._containers.stop()
        self._containers.stop()


def borrow(conn: Any, dag: SerializedDag) -> None:
    """
    Claims a DAG for its file's path, unless a bundle has it, and notes what is known of it. Raises
    airlock_server.store.errors.OwnedElsewhere.
    """
    tries.borrow_dag(conn, dag.dag_id, BUNDLE)
    known_dags.describe(conn, dag.dag_id, DagFacts(tags=dag.tags))


class Executor:
    """
    Launches on this machine, for one bundle folder. ``show`` gets each line of a launch's log as it comes.

    Several threads may launch at a time.
    """

    def __init__(
        self,
        installation: Installation,
        root: Path,
        environ: Mapping[str, str],
        show: Callable[[bytes], None],
        variables: Mapping[str, str] | None = None,
        pool: Pool | None = None,
    ) -> None:
        """
        Prepares launches; ``variables`` are user code's environment variables, by name and value, which go over those
        of the settings that shape DAGs. Parses and questions to timetables are forked from the warm parents of
        ``pool``, if it is given.
        """
        self._pool = pool
        # This process has the tokens it mints, and holds the sidecars' memory open.
        kernel.hide()
        # Processes that user code leaves behind become children of this one, which ends them with their launch.
        kernel.take_orphans()
        self._installation = installation
        self._environ = environ
        self._show = show
        self._running: list[Containers] = []
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
            variables={**dag_settings.variables(installation.settings), **(variables or {})},
        )
        self.relaunches = 0

    def serve_at(self, url: str) -> None:
        """
        Sets the address of the Execution API, which launches that execute need. The others may look up variables and
        connections there.
        """
        self._place = msgspec.structs.replace(self._place, api_url=url)

    @property
    def _current(self) -> Containers | None:
        """The launch that began last, of those that are under way."""
        return self._running[-1] if self._running else None

    def stop(self) -> None:
        """Ends the current launches in an orderly way, and starts no other."""
        with self._lock:
            self.stopping = True
            for containers in self._running:
                containers.stop()

    # --- parsing ---

    def parse(self, file: str) -> Parsed:
        """Parses a DAG file below the root; raises CannotParse."""
        seconds = self._installation.settings.parse.timeout_seconds
        log_path = f"parse/{parsing.log_name(file)}.log"
        try:
            result = self.parse_file(FileParse(file=file, bundle=BUNDLE, log_path=log_path, import_seconds=seconds))
        except CannotLaunch as e:
            raise CannotParse(f"{self._place.bundle_root / file}: {e}") from e
        if result.error:
            raise CannotParse(result.error)
        return Parsed(dags=result.dags)

    def parse_file(self, parse: FileParse) -> FileResult:
        """Parses a DAG file below the root. Raises CannotLaunch."""
        root = self._place.bundle_root
        launch = self.launch(parse.work(root), token="", seconds=parse.launch_seconds, bundle=parse.bundle)
        return parsing.result_of(parse, root, launch.record, launch.answer, late=launch.late)

    # --- executing ---

    def queue(
        self,
        dag: SerializedDag,
        task: SerializedTask,
        *,
        run_id: str,
        map_index: int,
        try_number: int,
        conf: Any,
    ) -> str:
        """Queues a try and returns the task instance's id. Raises airlock_server.store.errors.StoreError."""

        def write(conn: Any) -> str:
            borrow(conn, dag)
            return tries.queue_task(
                conn,
                TaskInstanceKey(dag.dag_id, run_id, task.task_id, map_index),
                try_number=try_number,
                max_tries=task.retries,
                conf=conf,
                now=now(),
                assets=Declarations(tuple(declared(task.inlets)), tuple(declared(task.outlets))),
            )

        return self._installation.database.write(write)

    def run(self, ti_id: str, file: str, task: SerializedTask) -> tuple[Outcome, Record | None]:
        """Launches until the try has ended; returns how it ended, and the last launch's record."""
        database = self._installation.database
        budget = self._installation.settings.local.infra_budget
        used = Used()
        while True:
            token = self._installation.tokens.mint_workload(ti_id)
            try:
                launch = self.launch(self._work(ti_id, file, task), token)
            except CannotLaunch as e:
                record, decision = None, Decision(Next.CLOSE, TaskInstanceState.FAILED, f"CannotLaunch: {e}")
                break
            record = launch.record
            decision = decide(
                record, began=launch.began, retries=task.retries, infra_budget=budget, used=used, stopping=self.stopping
            )
            if decision.next is not Next.AGAIN:
                break
            expired = record is not None and record.reason is Reason.TOKEN_EXPIRED
            used = Used(used.infra + (not expired), used.tokens + expired)
            database.write(lambda conn: tries.requeue(conn, ti_id))
            with self._lock:
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

    @property
    def logs(self) -> Path:
        """The folder of logs."""
        return self._place.log_dir

    @property
    def may_listen(self) -> bool:
        """Whether user code may have plugins, and so listeners: who has none pays for no launch."""
        return (self._place.bundle_root / "plugins").is_dir() or any(
            f"{product}__CORE__PLUGINS_FOLDER" in self._place.variables for product in ("AIRLOCK", "AIRFLOW")
        )

    def log_file(self, outcome: Outcome) -> Path:
        """Returns the path of the try's log."""
        return self.logs / log_path(outcome)

    def _work(self, ti_id: str, file: str, task: SerializedTask) -> workload.Execute:
        row = self._installation.database.read(lambda conn: tries.outcome(conn, ti_id))
        assert row is not None  # noqa: S101 - it was queued here
        return workload.Execute(
            ti=tries.as_wire(row),
            dag_rel_path=file,
            bundle_info=BundleInfo(name=BUNDLE),
            log_path=log_path(row),
            execution_timeout_seconds=task.execution_timeout_seconds,
            access=workload.Access(asset_events=_claimable(task), deferrals=_EVERY_TRIGGER),
        )

    def launch(
        self,
        work: workload.Workload,
        token: str,
        *,
        seconds: float | None = None,
        bundle: str = "",
        around: Callable[[Containers], AbstractContextManager[Any]] = nullcontext,
    ) -> Launch:
        """
        Launches once, with ``around`` the time in which it runs. It is ended after ``seconds``. With a pool it is
        forked from a warm parent of ``bundle``. Raises CannotLaunch.

        Without a token it belongs to no task instance: its author's code may look up what the server gives it.
        """
        if not token and self._place.api_url:
            token = self._installation.tokens.mint_lookup()
        try:
            if self._pool is None or not bundle:
                return self._launch_once(work, token, seconds, None, around)
            place, uids = self._place, self.isolation.uids
            environ = launcher_environ(place, self._environ, own_user=bool(uids))
            with self._pool.take(bundle, place.runner_python, environ, uids) as warm:
                launch = self._launch_once(work, token, seconds, warm, around)
                if launch.late or launch.record is None or launch.record.reason not in _ENDED_WELL:
                    warm.runner.clean = False
                return launch
        except (SetUpWrongly, NoUserLeft, OSError) as e:
            raise CannotLaunch(str(e)) from e

    def _launch_once(
        self,
        work: workload.Workload,
        token: str,
        seconds: float | None,
        warm: Warm | None,
        around: Callable[[Containers], AbstractContextManager[Any]],
    ) -> Launch:
        with Containers(self._place, work, token, self._environ, warm) as containers:
            reader = threading.Thread(target=self._follow, args=(containers.output[0],), daemon=True)
            reader.start()
            with self._lock:
                self._running.append(containers)
                if self.stopping:
                    containers.stop()
            limit = _Limit(containers, seconds)
            try:
                with around(containers):
                    record = containers.wait()
            finally:
                limit.lift()
                with self._lock:
                    self._running.remove(containers)
            containers.end_output()
            reader.join(5.0)
            return Launch(containers.began, record, containers.parsed(), limit.passed)

    def _follow(self, fd: int) -> None:
        buffer = b""
        while piece := os.read(fd, 65536):
            *lines, buffer = (buffer + piece).split(b"\n")
            for line in lines:
                self._show(line)


def _claimable(task: SerializedTask) -> tuple[str, ...]:
    """
    Returns the assets that a success may claim, for the sidecar: the outlets, and every asset where an alias is one of
    them, because nobody knows beforehand what it is given. The server holds them against the declarations.
    """
    outlets = declared(task.outlets)
    if any(each.type == "AssetAlias" for each in outlets):
        return ("*",)
    return tuple(sorted({text for each in outlets for text in (each.name, each.uri) if text}))


def log_path(row: Outcome) -> str:
    """Returns the path of a try's log, relative to the folder of logs."""
    key = row.key
    return logplace.log_path(key.dag_id, key.run_id, key.task_id, key.map_index, row.try_number)


def _packages() -> list[Path]:
    """Returns the folders of the packages that a runner imports, without importing them."""
    specs = (find_spec(name) for name in ("airlock_runner", "airlock_wire", "airlock.sdk", "msgspec"))
    return [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin is not None]
