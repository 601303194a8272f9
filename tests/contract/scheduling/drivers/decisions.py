"""
What Airflow's scheduler makes of a DAG run, for each case on the standard input: a DAG and the states of its task
instances. Nothing runs; a task instance that could run becomes scheduled, and it goes on until nothing changes.
"""

import json
import logging
import sys

import structlog

logging.disable(logging.WARNING)
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

from airflow.ti_deps.deps.base_ti_dep import BaseTIDep  # noqa: E402

#: Airflow keeps the dependencies of a task in a set, so that which of two contrary states is set last changes from
#: process to process. Their hashes give them one order here: what counts most comes last.
ORDER = ["PrevDagrunDep", "TriggerRuleDep", "MappedTaskUpstreamDep", "NotPreviouslySkippedDep"]
BaseTIDep.__hash__ = lambda self: ORDER.index(type(self).__name__) if type(self).__name__ in ORDER else 6

from airflow.utils import db  # noqa: E402

db.initdb()

from airflow.models.dagbundle import DagBundleModel  # noqa: E402
from airflow.models.serialized_dag import SerializedDagModel  # noqa: E402
from airflow.models.taskinstance import TaskInstance  # noqa: E402
from airflow.models.taskmap import TaskMap  # noqa: E402
from airflow.models.xcom import XComModel  # noqa: E402
from airflow.sdk import DAG, BaseOperator, TaskGroup  # noqa: E402
from airflow.sdk.bases.branch import BaseBranchOperator  # noqa: E402
from airflow.sdk.bases.xcom import BaseXCom  # noqa: E402, F401
from airflow.sdk.definitions._internal.expandinput import DictOfListsExpandInput  # noqa: E402
from airflow.sdk.definitions.taskgroup import MappedTaskGroup  # noqa: E402
from airflow.serialization.definitions.dag import SerializedDAG  # noqa: E402
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG  # noqa: E402
from airflow.utils.session import create_session  # noqa: E402
from airflow.utils.types import DagRunTriggeredByType, DagRunType  # noqa: E402
from pendulum import datetime as moment  # noqa: E402

BUNDLE = "testing"
DATE = moment(2026, 1, 1)


class Work(BaseOperator):
    """A task of a case. It never runs."""

    def __init__(self, *, value=None, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def execute(self, context):
        raise AssertionError


class Branch(BaseBranchOperator):
    """A task that may skip others."""

    def __init__(self, *, value=None, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def choose_branch(self, context):
        raise AssertionError


def build(case, number):
    dag = DAG(f"dag{number}", schedule=None, start_date=DATE, catchup=False)
    made, groups = {}, {}
    with dag:
        for task in case["tasks"]:
            # A group comes after the task over whose value it is mapped.
            for group in case["groups"] if task["group"] is not None else []:
                if group["id"] not in groups:
                    groups[group["id"]] = new_group(group, groups.get(group["parent"], dag.task_group), made)
            kind = Branch if task["branch"] else Work
            fields = {"task_id": task["id"], "trigger_rule": task["rule"], "task_group": groups.get(task["group"])}
            fields = {name: value for name, value in fields.items() if value is not None}
            if task["over"] is None:
                made[task["id"]] = kind(**fields)
            else:
                made[task["id"]] = kind.partial(**fields).expand(value=lengths(task["over"], made))
        for task in case["tasks"]:
            for after in task["downstream"]:
                made[task["id"]] >> made[after]
        for task in case["tasks"]:
            if task["setup"]:
                made[task["id"]].as_setup()
            if task["teardown"]:
                made[task["id"]].as_teardown(on_failure_fail_dagrun=task["counts"])
    return dag


def new_group(group, parent, made):
    options = {"group_id": group["id"], "parent_group": parent, "prefix_group_id": False}
    if group["over"] is None:
        return TaskGroup(**options)
    return MappedTaskGroup(**options, expand_input=DictOfListsExpandInput({"value": lengths(group["over"], made)}))


def lengths(over, made):
    return list(range(over)) if isinstance(over, int) else made[over].output


def decide(case, number, session):
    dag = build(case, number)
    SerializedDAG.bulk_write_to_db(BUNDLE, None, [dag], session=session)
    SerializedDagModel.write_dag(LazyDeserializedDAG.from_dag(dag), bundle_name=BUNDLE, session=session)
    session.flush()
    scheduler_dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    run = scheduler_dag.create_dagrun(
        run_id="r",
        logical_date=DATE,
        data_interval=(DATE, DATE),
        run_after=DATE,
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.TEST,
        state="running",
        session=session,
    )
    run.dag = scheduler_dag
    set_states(case, run, session)
    before = None
    for _ in range(30):
        session.flush()
        ready, _ = run.update_state(session=session, execute_callbacks=False)
        for each in ready:
            each.state = "scheduled"
        session.flush()
        states = {f"{ti.task_id}[{ti.map_index}]": ti.state for ti in run.get_task_instances(session=session)}
        if run.state != "running" or (not ready and states == before):
            break
        before = states
    return {"states": {key: state or "none" for key, state in states.items()}, "run": str(run.state)}


def set_states(case, run, session):
    from sqlalchemy import select

    version = session.scalar(
        select(TaskInstance.dag_version_id).where(TaskInstance.run_id == "r", TaskInstance.dag_id == run.dag_id)
    )
    rows = {(ti.task_id, ti.map_index): ti for ti in run.get_task_instances(session=session)}
    for task_id, map_index, state in case["states"]:
        ti = rows.get((task_id, map_index))
        if ti is None:
            first = next((each for (other, _), each in rows.items() if other == task_id and each.map_index < 0), None)
            if first is not None:
                first.map_index = map_index
                ti = rows[task_id, map_index] = first
                del rows[task_id, -1]
            else:
                task = run.dag.get_task(task_id)
                ti = TaskInstance(task, run_id="r", map_index=map_index, dag_version_id=version)
                session.add(ti)
                rows[task_id, map_index] = ti
        ti.state = None if state == "none" else state
        ti.end_date = DATE
    session.flush()
    for task_id, length in case["lengths"].items():
        session.add(TaskMap(dag_id=run.dag_id, task_id=task_id, run_id="r", map_index=-1, length=length, keys=None))
    for task_id, map_index, value in case["records"]:
        XComModel.set(
            key="skipmixin_key",
            value=value,
            task_id=task_id,
            dag_id=run.dag_id,
            run_id="r",
            map_index=map_index,
            session=session,
        )
    for task_id, count in case["pushed"].items():
        for index in range(count):
            XComModel.set(
                key="return_value",
                value=1,
                task_id=task_id,
                dag_id=run.dag_id,
                run_id="r",
                map_index=index,
                session=session,
            )


def main():
    answers = []
    with create_session() as session:
        session.add(DagBundleModel(name=BUNDLE))
        session.commit()
    for number, case in enumerate(json.load(sys.stdin)):
        with create_session() as session:
            try:
                answers.append(decide(case, number, session))
            except Exception as e:
                answers.append({"error": f"{type(e).__name__}: {e}"})
            session.rollback()
    print(json.dumps(answers))


main()
