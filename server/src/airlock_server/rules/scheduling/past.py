"""
Past dependencies: tasks that wait for what became of them in the run before.
"""

from airlock_server.rules.scheduling.snapshot import Past, Run
from airlock_server.rules.scheduling.states import SUCCESSFUL
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask


def met(dag: SerializedDag, task: SerializedTask, run: Run, past: Past | None) -> bool:
    """Tells whether the run before lets a task go on. ``past`` None: no run was before this one."""
    if not depends(task) or run.logical_date is None or run.first_of_backfill or past is None:
        return True
    starts = task.start_date or dag.start_date
    if dag.catchup and starts is not None and past.logical_date is not None and past.logical_date < starts:
        return True
    states = past.states.get(task.task_id)
    if not states:
        return task.ignore_first_depends_on_past and task.task_id not in past.older
    after = task.downstream_task_ids if task.wait_for_downstream else []
    others = (state for each in after for state in past.states.get(each, []))
    return all(state in SUCCESSFUL for state in (*states, *others))


def depends(task: SerializedTask) -> bool:
    """Tells whether a task waits for the run before."""
    return task.depends_on_past or task.wait_for_downstream
