"""
A scheduler's part, with Airflow's own models and code: a DAG with one task, which the executor launches and follows.

The scenario on the standard input is one of the functions here. What it found is printed behind the word RESULT.
"""

import json
import os
import sys
import time
import urllib.request
import uuid
from datetime import timedelta

from airflow.utils import db

db.initdb()

from airflow._shared.timezones import timezone  # noqa: E402
from airflow.executors.executor_loader import ExecutorLoader  # noqa: E402
from airflow.executors.workloads import ExecuteTask  # noqa: E402
from airflow.jobs.job import Job  # noqa: E402
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner  # noqa: E402
from airflow.models import Log  # noqa: E402
from airflow.models.dagbundle import DagBundleModel  # noqa: E402
from airflow.models.serialized_dag import SerializedDagModel  # noqa: E402
from airflow.models.taskinstance import TaskInstance  # noqa: E402
from airflow.sdk import DAG, BaseOperator  # noqa: E402
from airflow.serialization.definitions.dag import SerializedDAG  # noqa: E402
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG  # noqa: E402
from airflow.utils.session import create_session  # noqa: E402
from airflow.utils.types import DagRunTriggeredByType, DagRunType  # noqa: E402
from pendulum import datetime as moment  # noqa: E402
from sqlalchemy import select  # noqa: E402

DATE = moment(2026, 1, 1)
API = json.load(open(os.environ["AIRFLOW__AIRLOCK__KUBECONFIG"]))["clusters"][0]["cluster"]["server"]


def play(act, *arguments, **options):
    body = json.dumps({"act": act, "arguments": arguments, "options": options}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{API}/play", data=body, method="POST"), timeout=10).read()


def until(true, what, seconds=20):
    ends = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < ends, f"no {what}"
        time.sleep(0.02)
    return value


def make_dag(retries=1, executor_config=None):
    with DAG("sales", schedule=None, start_date=DATE, tags=["finance"]) as dag:
        BaseOperator(task_id="load", retries=retries, executor_config=executor_config or {})
    with create_session() as session:
        session.add(DagBundleModel(name="dags-folder"))
        session.flush()
        SerializedDAG.bulk_write_to_db("dags-folder", None, [dag], session=session)
        SerializedDagModel.write_dag(LazyDeserializedDAG.from_dag(dag), bundle_name="dags-folder", session=session)
        session.flush()
        run = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)).create_dagrun(
            run_id="r", logical_date=DATE, data_interval=(DATE, DATE), run_after=DATE, run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST, state="running", session=session,
        )  # fmt: skip
        run.get_task_instance("load", session=session).state = "scheduled"


class Scheduler:
    """One scheduler with its executor."""

    def __init__(self):
        self.executor = ExecutorLoader.get_default_executor()
        job = Job()
        self.runner = SchedulerJobRunner(job=job, executors=[self.executor])
        with create_session() as session:
            session.add(job)
            job.state = "running"
            job.latest_heartbeat = timezone.utcnow()
            session.flush()
            self.job_id = job.id
        self.executor.job_id = self.job_id
        self.sent = []
        self.executor.send_callback = self.sent.append
        self.executor.start()

    def queue(self):
        """What the scheduler's critical section does for a task instance that is scheduled."""
        with create_session() as session:
            ti = instance(session)
            ti.state, ti.queued_dttm, ti.queued_by_job_id = "queued", timezone.utcnow(), self.job_id
            ti.external_executor_id = str(uuid.uuid4())
            ti.try_number = ti.try_number or 1
            session.flush()
            ti.dag_model, ti.dag_run  # noqa: B018 - loaded while there is a session
            workload = ExecuteTask.make(ti, generator=self.executor.jwt_generator)
            self.executor.queue_workload(workload, session=session)
            return workload

    def beat(self):
        self.executor.heartbeat()
        with create_session() as session:
            SchedulerJobRunner.process_executor_events(
                executor=self.executor, job_id=self.job_id, scheduler_dag_bag=self.runner.scheduler_dag_bag,
                session=session,
            )  # fmt: skip
        with create_session() as session:
            SchedulerJobRunner._process_task_event_logs(self.executor._task_event_logs, session)

    def launched(self):
        """The name of the TaskRun that counts, once it is let go."""
        return until(
            lambda: next((each.name for each in self.executor._current.values() if each.ready_at), None), "launch"
        )

    def settled(self, seconds=20):
        """Beats until nothing runs."""

        def idle():
            self.beat()
            return not self.executor.running

        until(idle, "end of what runs", seconds)


def instance(session):
    return session.scalar(select(TaskInstance).where(TaskInstance.task_id == "load"))


def change(**values):
    with create_session() as session:
        ti = instance(session)
        for name, value in values.items():
            setattr(ti, name, value)


def seen():
    with create_session() as session:
        ti = instance(session)
        rows = session.scalars(select(Log).where(Log.task_id == "load").order_by(Log.id))
        return {
            "state": ti.state, "try": ti.try_number, "id": str(ti.id), "executor_id": ti.external_executor_id,
            "events": [[row.event, row.extra] for row in rows],
        }  # fmt: skip


def succeeds(override=False):
    config = {}
    if override:
        from kubernetes.client import models as k8s

        container = k8s.V1Container(
            name="base",
            image="images/other:2",
            resources=k8s.V1ResourceRequirements(limits={"memory": "1Gi"}),
            env=[k8s.V1EnvVar(name="MODE", value="fast")],
        )
        spec = k8s.V1PodSpec(containers=[container], node_selector={"disk": "ssd"}, termination_grace_period_seconds=5)
        config = {"pod_override": k8s.V1Pod(metadata=k8s.V1ObjectMeta(labels={"team": "sales"}), spec=spec)}
    make_dag(executor_config=config)
    scheduler = Scheduler()
    workload = scheduler.queue()
    scheduler.beat()
    name = scheduler.launched()
    change(state="running", hostname="h")
    play("status", name, "Running")
    change(state="success")
    play("finish", name, "Succeeded")
    scheduler.settled()
    scheduler.executor.end()
    return seen() | {"name": name, "workload_token": workload.token}


def refused():
    from kubernetes.client import models as k8s

    spec = k8s.V1PodSpec(containers=[], share_process_namespace=True, host_network=True)
    make_dag(executor_config={"pod_override": k8s.V1Pod(spec=spec)})
    scheduler = Scheduler()
    scheduler.queue()
    scheduler.settled()
    scheduler.executor.end()
    return seen()


def killed():
    """A pod that is killed for memory: Airflow handles the failure, with the reason."""
    make_dag()
    scheduler = Scheduler()
    scheduler.queue()
    scheduler.beat()
    name = scheduler.launched()
    change(state="running")
    play("finish", name, "OOMKilled", "its limit was 256Mi")
    scheduler.settled()
    scheduler.executor.end()
    return seen()


def late_end():
    """A deferred task instance is launched again, and then its first launch ends."""
    make_dag()
    scheduler = Scheduler()
    scheduler.queue()
    scheduler.beat()
    first = scheduler.launched()
    change(state="scheduled", next_method="resume", hostname="h")
    scheduler.queue()
    scheduler.beat()
    second = until(lambda: scheduler.launched() != first and scheduler.launched(), "second launch")
    change(state="running")
    play("finish", first, "Deferred")
    play("status", second, "Running")
    play("finish", first, "Crashed", "late")
    for _ in range(20):
        scheduler.beat()
        time.sleep(0.05)
    between = seen()["state"]
    change(state="success")
    play("finish", second, "Succeeded")
    scheduler.settled()
    scheduler.executor.end()
    return seen() | {"between": between}


def stuck():
    """A task that waits visibly is swept for as stuck in queued."""
    make_dag()
    scheduler = Scheduler()
    scheduler.queue()
    scheduler.beat()
    name = scheduler.launched()
    play("status", name, "QuotaExceeded", "exceeded quota: pods=3")
    until(lambda: scheduler.beat() or len(seen()["events"]) > 0, "reason in the event log")
    for _ in range(4):
        change(queued_dttm=timezone.utcnow() - timedelta(hours=2))
        scheduler.runner._handle_tasks_stuck_in_queued()
        scheduler.beat()
    scheduler.executor.end()
    return seen() | {"running": len(scheduler.executor.running)}


def adopts(state="running"):
    """A scheduler dies, and the next one follows what it launched."""
    make_dag()
    first = Scheduler()
    first.queue()
    first.beat()
    name = first.launched()
    change(state=state)
    first.executor.end()
    with create_session() as session:
        session.get(Job, first.job_id).state = "failed"
    second = Scheduler()
    before = seen()
    second.runner.adopt_or_reset_orphaned_tasks()
    adopted = seen()
    change(state="success")
    play("finish", name, "Succeeded")
    second.settled()
    second.executor.end()
    return {"before": before, "adopted": adopted, "after": seen(), "name": name}


def adopts_unseen(state="running"):
    """The next scheduler starts while the Kubernetes API lists nothing; the TaskRun ends before it lists again."""
    make_dag()
    first = Scheduler()
    first.queue()
    first.beat()
    name = first.launched()
    change(state=state)
    first.executor.end()
    with create_session() as session:
        session.get(Job, first.job_id).state = "failed"
    play("lists", answered=False)
    second = Scheduler()
    before = seen()
    second.runner.adopt_or_reset_orphaned_tasks()
    adopted = seen()
    followed = [each.name for each in second.executor._current.values()]
    play("finish", name, "OOMKilled", "its limit was 256Mi")
    second.beat()
    unseen = len(second.executor.running)
    play("lists", answered=True)
    second.settled(60)
    second.executor.end()
    return {
        "name": name, "before": before, "adopted": adopted, "followed": followed, "unseen": unseen, "after": seen()
    }  # fmt: skip


def serve():
    """Airflow's own Execution API, at the address that the executor is told."""
    import threading

    import uvicorn
    from airflow.api_fastapi.app import create_app

    server = uvicorn.Server(uvicorn.Config(create_app(apps="execution"), port=int(os.environ["API_PORT"])))
    threading.Thread(target=server.run, daemon=True).start()
    until(lambda: server.started, "API server")


def evicted(deferred=False):
    """The platform takes a task that runs: it is scheduled again on the same try, by Airflow's own API."""
    serve()
    make_dag(retries=0)
    scheduler = Scheduler()
    if deferred:
        change(hostname="h", next_method="resume")
    scheduler.queue()
    scheduler.beat()
    name = scheduler.launched()
    change(state="running", hostname="h", start_date=timezone.utcnow(), last_heartbeat_at=timezone.utcnow())
    before = seen()
    play("finish", name, "Evicted", "The node was low on resource: memory")
    scheduler.settled()
    after = seen()
    second = ""
    if after["state"] == "up_for_reschedule":
        change(state="scheduled")
        scheduler.queue()
        scheduler.beat()
        second = scheduler.launched()
        change(state="success")
        play("finish", second, "Succeeded")
        scheduler.settled()
    scheduler.executor.end()
    return {"before": before, "after": after, "end": seen(), "second": second}


def cleared():
    """A task instance is cleared while its first launch still waits."""
    make_dag()
    scheduler = Scheduler()
    scheduler.queue()
    scheduler.beat()
    first = scheduler.launched()
    with create_session() as session:
        ti = instance(session)
        ti.prepare_db_for_next_try(session)
        ti.state, ti.try_number = "scheduled", 2
    scheduler.queue()
    scheduler.beat()
    second = until(lambda: scheduler.launched() != first and scheduler.launched(), "second launch")
    change(state="success")
    play("finish", first, "Cancelled")
    play("finish", second, "Succeeded")
    scheduler.settled()
    scheduler.executor.end()
    return {"first": first, "second": second, "end": seen()}


def never_launched():
    """A scheduler dies before it made the TaskRun of what it had queued."""
    make_dag()
    first = Scheduler()
    first.executor._process_workloads = lambda items: None
    first.queue()
    first.executor.end()
    with create_session() as session:
        session.get(Job, first.job_id).state = "failed"
    second = Scheduler()
    before = seen()
    second.runner.adopt_or_reset_orphaned_tasks()
    second.executor.end()
    return {"before": before, "after": seen()}


given = json.load(sys.stdin)
result = globals()[given.pop("scenario")](**given)
print("RESULT " + json.dumps(result, default=str))
