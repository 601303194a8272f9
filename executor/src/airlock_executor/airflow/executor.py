"""
The executor: a thin layer between Airflow's scheduler and the executor's own thread.

Its constructor reads nothing and calls nobody: the API server makes one only to read a log. What Airflow calls in the
scheduler's loop hands a launch over, or takes results out, and does not wait for the cluster.
"""

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from airflow.executors.base_executor import BaseExecutor, get_execution_api_server_url
from airflow.executors.workloads import ExecuteTask
from airflow.utils.state import TaskInstanceState

from airlock_executor import access, lookups, rerun
from airlock_executor.access import Policy
from airlock_executor.airflow import adoption, configuration, connections, logs_of_pods, orders, preflights
from airlock_executor.background import Background
from airlock_executor.kube import errors, models
from airlock_executor.launch import taskrun
from airlock_executor.launch.following import Launch, chosen, launch_of, taken_over
from airlock_executor.launch.outcomes import End, Outcome
from airlock_executor.pod import composition
from airlock_executor.pod.translation import Refused, Translation
from airlock_executor.recovery import Result, Ways
from airlock_executor.settings import Settings

#: How long a scheduler that starts waits for the list of TaskRuns it may adopt.
_ADOPTION_SECONDS = 20.0
_STOP_SECONDS = 10.0
#: How long a token lives that is for one request.
_REQUEST_TOKEN_SECONDS = 60.0
#: Of how many task instances it is known how their last launch ended.
_MAX_PAST = 10_000
#: How many rows of the event log are kept alive until they are written, which is in the same loop.
_MAX_EVENTS = 10_000


class Past(msgspec.Struct, frozen=True):
    """How the launch before ended: how often the platform took one, and whether the next goes on with a deferral."""

    losses: int
    resumed: bool


class TaskRunExecutor(BaseExecutor):  # type: ignore[misc]
    """Every task instance is a TaskRun."""

    #: The scheduler writes a launch's id down together with the state ``queued``, so that a restart finds its TaskRun.
    pre_assigns_external_executor_id: ClassVar[bool] = True
    supports_multi_team: bool = True
    #: A TaskRun runs tasks. Callbacks of deadlines and tests of connections belong to another executor of the list.
    supports_callbacks: bool = False
    supports_connection_test: bool = False
    supports_ad_hoc_ti_run: bool = False
    is_local: bool = False
    is_production: bool = True
    #: Logs come from the sidecar, not from a server beside the scheduler.
    serve_logs: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._settings: Settings | None = None
        self._background: Background | None = None
        self._policy: Policy | None = None
        #: By key, the launch that counts. A launch before it may still be on its way out.
        self._current: dict[Any, Launch] = {}
        self._past: OrderedDict[str, Past] = OrderedDict()
        self._events: deque[Any] = deque(maxlen=_MAX_EVENTS)
        self._environ: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._variables: dict[str, str] = {}
        self._connections: dict[str, dict[str, Any]] = {}
        self._own_lookups = b""
        self._withheld: Callable[[str], str | None] = lambda _name: None
        self._templates: dict[str, tuple[float, dict[str, Any]]] = {}

    # --- the scheduler's process ---

    def start(self) -> None:
        """Reads the settings, looks whether all is well, and starts the thread. Raises what is wrong, in words."""
        settings = self._read_settings()
        self._policy = preflights.policy(settings)
        self._environ = configuration.environ_of_tasks()
        self._folders = configuration.bundle_folders(settings)
        self._variables = lookups.among(os.environ)
        self._connections = connections.answers(self._variables)
        self._own_lookups = lookups.document(self._connections, self._variables)
        self._withheld = configuration.withheld()
        api_url = get_execution_api_server_url(self.conf)
        # It is a cached property, which the other thread must not be the first to ask for.
        generator = self.jwt_generator
        ways = Ways(
            mint=lambda ti_id: generator.generate(
                extras={"sub": ti_id, "scope": "workload"}, valid_for=settings.token_seconds
            ),
            execution_token=lambda ti_id: generator.generate(
                extras={"sub": ti_id, "scope": "execution"}, valid_for=_REQUEST_TOKEN_SECONDS
            ),
            reschedule=lambda ti_id, token: rerun.reschedule(api_url, ti_id, token),
        )
        self._background = Background(settings, ways)
        self._background.start()
        preflights.require(self._background, settings)
        self.log.info(
            "Tasks run as TaskRuns of %s in %s, with image %s",
            settings.name,
            ", ".join(settings.namespaces),
            settings.image,
        )

    def _process_workloads(self, workload_items: Sequence[Any]) -> None:
        for workload in workload_items:
            if not isinstance(workload, ExecuteTask):
                self.log.error("A TaskRun cannot run a %s; use another executor for it", type(workload).__name__)
                continue
            key = workload.key
            self.queued_tasks.pop(key, None)
            self.running.add(key)
            try:
                launch = self._launch(workload)
            except Refused as e:
                self._tell(key, "Refused", f"Refused: its pod cannot be a TaskRun's: {e}")
                self.fail(key, f"Refused: {e}")
            except Exception as e:
                self.log.exception("The TaskRun of %s cannot be made", key)
                self.fail(key, f"Refused: its TaskRun cannot be made: {type(e).__name__}: {e}")
            else:
                self._replace(key, launch)

    def _launch(self, workload: Any) -> Launch:
        settings = self._read_settings()
        order = orders.of_workload(workload)
        past = self._past.pop(order.ti_id, None)
        if past is not None:
            order = msgspec.structs.replace(order, losses=past.losses, resumed=past.resumed)
        translation = self._pod(order.queue, workload.ti.executor_config or {})
        for note in translation.notes:
            self.log.info("%s.%s: %s", order.dag_id, order.task_id, note)
            self._tell(workload.key, "LeftOut", note)
        allowed = None
        if self._policy is not None:
            tags = orders.tags(order.dag_id) if self._policy.asks_for_tags else frozenset()
            allowed = access.access(self._policy, order.dag_id, tags)
        folder = self._folders.get(order.bundle_name, "")
        namespace, body = taskrun.taskrun(order, settings, translation.settings, folder, allowed)
        launch = launch_of(order, namespace, body, workload.key)
        launch.lookups = self._lookups(translation.lookups)
        return launch

    def _lookups(self, of_pod: dict[str, str]) -> bytes:
        """Returns what a sidecar answers with: the scheduler's own connections and variables, and those of a pod."""
        if not of_pod:
            return self._own_lookups
        try:
            return lookups.document(self._connections | connections.answers(of_pod), self._variables | of_pod)
        except lookups.TooLarge as e:
            raise Refused([str(e)]) from e

    def _pod(self, queue: str, executor_config: dict[str, Any]) -> Translation:
        settings = self._read_settings()
        path = executor_config.get(composition.TEMPLATE) or settings.pod_template_file
        return composition.composed(
            composition.base(self._environ, settings.of_queue(queue)),
            self._template(path) if path else {},
            executor_config,
            models.plain,
            orders.mutation_hook(),
            settings.namespaces,
            self._withheld,
        )

    def _template(self, path: str) -> dict[str, Any]:
        """Returns a pod template, which is read anew when the file has changed."""
        try:
            changed_at = Path(path).stat().st_mtime
            if path not in self._templates or self._templates[path][0] != changed_at:
                pod = msgspec.yaml.decode(Path(path).read_bytes(), type=dict[str, Any])
                self._templates[path] = (changed_at, pod)
        except (OSError, msgspec.MsgspecError) as e:
            raise Refused([f"pod_template_file {path}: {e}"]) from e
        return self._templates[path][1]

    def _replace(self, key: Any, launch: Launch) -> None:
        """Begins a launch, which from now on is the one that counts for its key."""
        background = self._running_background()
        for other, before in list(self._current.items()):
            # A cleared task instance has another id: nobody waits for what its launch waits for. One that has begun is
            # on its way out, and still brings its log away.
            if other.primary == key.primary and before.ti_id != launch.ti_id:
                if not before.begun:
                    background.cancel(before.place)
                del self._current[other]
                self.running.discard(other)
                self.running.add(key)
        self._current[key] = launch
        background.submit(launch)

    def sync(self) -> None:
        """Takes out what the thread has to say. Raises RuntimeError if it ended: a new scheduler starts another."""
        background = self._background
        if background is not None and background.failure is not None:
            raise RuntimeError("the executor's thread ended") from background.failure
        while background is not None and not background.results.empty():
            self._take(background, background.results.get_nowait())

    def _take(self, background: Background, result: Result) -> None:
        launch = result.launch
        key = launch.key
        current = self._current.get(key)
        if current is None or current.place != launch.place:
            # A late end of a launch before: its task instance is queued or runs again under the same key.
            self.log.debug("TaskRun %s/%s does not count any more", launch.namespace, launch.name)
            if result.successor is not None:
                background.cancel(result.successor.place)
            return
        if result.note is not None:
            self.log.info("%s: %s", key, result.note.text)
            self._tell(key, result.note.reason, result.note.text)
        if result.successor is not None:
            self._current[key] = result.successor
        elif result.outcome is not None:
            del self._current[key]
            self._end_of(launch, result.outcome)

    def _end_of(self, launch: Launch, outcome: Outcome) -> None:
        key = launch.key
        if outcome.end is End.SILENT:
            self.running.discard(key)
            saved = bool(outcome.text)
            resumed = launch.resumed if saved else outcome.reason != "Rescheduled"
            self._past[launch.ti_id] = Past(launch.losses + saved, resumed)
            while len(self._past) > _MAX_PAST:
                self._past.popitem(last=False)
        elif outcome.end is End.ORDERLY:
            self.success(key)
        else:
            self.log.error("%s: %s (TaskRun %s/%s)", key, outcome.text, launch.namespace, launch.name)
            self._tell(key, outcome.reason, outcome.text)
            self.fail(key, outcome.text)

    def _tell(self, key: Any, reason: str, text: str) -> None:
        """Writes a line into the task's event log."""
        self.log_task_event(event=f"airlock {reason}", extra=text, ti_key=key)
        # Airflow hands these rows to SQLAlchemy out of a generator. SQLAlchemy 2.1 holds them by weak references only,
        # and would write rows without values, which costs all rows of that loop.
        self._events.append(self._task_event_logs[-1])

    def revoke_task(self, *, ti: Any) -> None:
        """
        Lets go of a task instance that nothing is known of.

        Raises NotImplementedError for one whose TaskRun waits: its ``pendingTimeout`` ends that wait, and its event
        log says why it waits. Airflow's sweep passes over an executor that does not revoke.
        """
        launch = self._current.get(ti.key)
        if launch is not None and launch.ti_id == str(ti.id):
            raise NotImplementedError(f"TaskRun {launch.namespace}/{launch.name} waits, up to its pendingTimeout")
        self.queued_tasks.pop(ti.key, None)
        self.running.discard(ti.key)
        if launch is not None:
            del self._current[ti.key]
            self._running_background().cancel(launch.place)

    def try_adopt_task_instances(self, tis: Sequence[Any]) -> Sequence[Any]:
        """Follows what an earlier scheduler launched; returns the task instances that have no TaskRun."""
        background, settings = self._running_background(), self._read_settings()
        ids = {str(ti.id) for ti in tis}
        try:
            by_id = background.call(lambda cluster: adoption.taskruns(cluster, settings, ids), _ADOPTION_SECONDS)
        except errors.KubernetesError as e:
            # Whoever is running goes on by itself, and is found by a later list; it must not be run twice.
            self.log.warning("TaskRuns cannot be listed, so what runs is adopted unseen: %s", e)
            by_id = None
        left = []
        for ti in tis:
            taskrun_of = None
            if by_id is None:
                launch = adoption.presumed(ti, settings)
            else:
                running = ti.state != TaskInstanceState.QUEUED
                taskrun_of = chosen(by_id.get(str(ti.id), []), ti.external_executor_id, running=running)
                launch = taken_over(taskrun_of, ti.key) if taskrun_of is not None else None
            if launch is None:
                left.append(ti)
                continue
            launch.lookups = self._own_lookups
            self.running.add(ti.key)
            self._current[ti.key] = launch
            background.adopt(launch, taskrun_of)
            self.log.info("Adopted %s: TaskRun %s/%s", ti.key, *launch.place)
        return left

    def end(self) -> None:
        """Ends the thread. TaskRuns go on, and the next scheduler adopts them."""
        if self._background is not None:
            self._background.stop(_STOP_SECONDS)
            self.sync()
            self._background = None

    def terminate(self) -> None:
        """Does what ``end`` does: a scheduler that is told to end leaves its tasks running."""
        self.end()

    # --- the API server's process, too ---

    def get_task_log(self, ti: Any, try_number: int) -> tuple[list[str], list[str]]:
        """Returns the sources and lines of a task's log from its pod, or why there is no pod yet."""
        return logs_of_pods.of_try(self._read_settings, str(ti.id), try_number)

    @staticmethod
    def get_cli_commands() -> list[Any]:
        """Returns no commands: ``airlock-executor`` is a program of its own, which also runs outside of Airflow's."""
        return []

    # --- both ---

    def _read_settings(self) -> Settings:
        if self._settings is None:
            self._settings = configuration.read(self.team_name)
        return self._settings

    def _running_background(self) -> Background:
        if self._background is None:
            raise RuntimeError("the executor is not started")
        return self._background
