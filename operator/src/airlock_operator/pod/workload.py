"""
Builds the workload of a TaskRun's sidecar (``airlock_wire.workload``), with what ``spec.access`` narrows. Pure.
"""

import msgspec

from airlock_operator.observe import options
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.settings import Pods, patterns
from airlock_wire import logplace
from airlock_wire import workload as wire
from airlock_wire.protocol.messages import BundleInfo, TaskInstance
from airlock_wire.taskrun import Access, Spec

#: The file with the inline source, in the bundle's folder.
SOURCE_FILE = "dag.py"
#: The bundle that a TaskRun with inline source has.
INLINE = "inline"


def workload(run: TaskRun, settings: Pods) -> wire.Execute:
    """
    Returns the sidecar's workload. In Exchange mode the ids come from the server, with the token. In Secret mode they
    are the TaskRun's, and its maker decides what a crash means, so the sidecar does not report one.
    """
    spec, try_number = run.spec, run.status.try_number
    bundle = spec.bundle
    return wire.Execute(
        ti=TaskInstance(
            id=spec.task_instance_id if run.by_secret else "",
            dag_version_id=spec.dag_version_id if run.by_secret else "",
            dag_id=spec.dag_id,
            task_id=spec.task_id,
            run_id=run.run_id,
            map_index=spec.map_index,
            try_number=try_number,
            context_carrier=dict(spec.context_carrier) if spec.context_carrier is not None else None,
            queue=spec.queue,
        ),
        dag_rel_path=spec.file if bundle is not None else SOURCE_FILE,
        bundle_info=BundleInfo(name=bundle.name if bundle else INLINE, version=bundle.version if bundle else None),
        log_path=logplace.log_path(
            spec.dag_id,
            run.run_id,
            spec.task_id,
            spec.map_index,
            try_number,
            # A real Airflow's task instance does not belong to a namespace, and its log readers know Airflow's layout.
            namespace="" if run.by_secret else run.namespace,
        ),
        judges=not run.by_secret,
        execution_timeout_seconds=run.durations.execution_timeout,
        access=access(spec, settings, by_secret=run.by_secret),
        undecided=options.undecided(run),
        first_try=spec.try_number,
    )


def access(spec: Spec, settings: Pods, *, by_secret: bool) -> wire.Access:
    """
    Returns what the launch may ask for. What the TaskRun does not narrow is left to the server, except writing XComs of
    other tasks: by default a launch may write none with Airlock's server, and any with Airflow's. The connections of
    Airflow's own services must be named one by one. If the TaskRun does not say which classes a deferral may name, and
    which assets a success may claim, an administrator does. With Airlock's server a success may claim the TaskRun's
    outlets, if the TaskRun does not say.
    """
    lists = msgspec.structs.asdict(spec.access or Access())
    narrowed = {rule: patterns for rule, patterns in lists.items() if patterns is not None}
    if not by_secret and spec.outlets:
        names = {text for outlet in spec.outlets for text in (outlet.name, outlet.uri) if text}
        narrowed.setdefault("asset_events", tuple(sorted(names)))
    if by_secret:
        narrowed["connections_by_name"] = wire.SERVICE_CONNECTIONS
        narrowed.setdefault("xcom_writes", None)
        narrowed.setdefault("deferrals", wire.AIRFLOWS_TRIGGERS + patterns(settings.airflow_deferrals))
        narrowed.setdefault("asset_events", patterns(settings.airflow_asset_events))
    return wire.Access(**narrowed)


def unnarrowed(run: TaskRun) -> bool:
    """
    Tells whether the task may ask for all that Airflow lets a task ask for: in Secret mode, without ``spec.access``.
    """
    return run.by_secret and (run.spec.access or Access()) == Access()
