"""What a running task can ask of the server beside XComs: DAG runs, task instances, its own past."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from airlock.sdk import _channel
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.exceptions import ChannelError
from airlock_wire.protocol import lookups
from airlock_wire.protocol.messages import ErrorResponse, Message

if TYPE_CHECKING:
    from airlock_runner.task.task_instance import RunningTaskInstance

#: What is a method of ``ti``.
NAMES: Final = frozenset(
    {
        "expanded_count", "get_dag", "get_dagrun_state", "get_dr_count", "get_first_reschedule_date",
        "get_previous_dagrun", "get_previous_ti", "get_relevant_upstream_map_indexes", "get_task_breadcrumbs",
        "get_task_states", "get_template_context", "get_ti_count", "previous_success", "render_templates",
    }
)  # fmt: skip


def _ask(message: Message, call: str, kind: type) -> Any:
    answer = _channel.ask(message, call)
    if isinstance(answer, ErrorResponse):
        raise refusal(answer, call)
    if not isinstance(answer, kind):
        raise ChannelError(f"{call} was answered with {type(answer).__name__}")
    return answer


def _logical_date(ti: "RunningTaskInstance") -> datetime | None:
    return ti.dag_run.logical_date if ti.dag_run is not None else None


def get_first_reschedule_date(ti: "RunningTaskInstance", context: Any) -> datetime | None:
    """Returns when this try was first started, for a task that was rescheduled; None for one that was not."""
    if not context.get("task_reschedule_count"):
        return None
    ask = lookups.GetTaskRescheduleStartDate(ti_id=ti.id, try_number=ti.try_number)
    date: datetime | None = _ask(ask, "ti.get_first_reschedule_date()", lookups.TaskRescheduleStartDate).start_date
    return date


def previous_success(ti: "RunningTaskInstance", field: str) -> datetime | None:
    """Returns a date of the last successful DAG run before this one; None before the first."""
    ask = lookups.GetPrevSuccessfulDagRun(ti_id=ti.id)
    answer = _ask(ask, f"prev_{field}_success", lookups.PrevSuccessfulDagRunResult)
    from airlock.sdk.timezone import coerce_datetime  # deferred: it imports zoneinfo

    date: datetime | None = coerce_datetime(getattr(answer, field))
    return date


def get_previous_dagrun(ti: "RunningTaskInstance", state: str | None = None) -> Any:
    """Returns the DAG run before this one, in this state if one is given; None for the first."""
    logical_date = _logical_date(ti)
    if logical_date is None:
        return None
    ask = lookups.GetPreviousDagRun(dag_id=ti.dag_id, logical_date=logical_date, state=state)
    return _ask(ask, "ti.get_previous_dagrun()", lookups.PreviousDagRunResult).dag_run


def get_previous_ti(
    ti: "RunningTaskInstance", state: str | None = None, logical_date: datetime | None = None, map_index: int = -1
) -> Any:
    """Returns this task's instance in an earlier DAG run; None in the first."""
    ask = lookups.GetPreviousTI(
        dag_id=ti.dag_id,
        task_id=ti.task_id,
        logical_date=logical_date or _logical_date(ti),
        map_index=map_index,
        state=state,
    )
    return _ask(ask, "ti.get_previous_ti()", lookups.PreviousTIResult).task_instance


def get_ti_count(_ti: "RunningTaskInstance", dag_id: str, **kwargs: Any) -> int:
    """Returns how many task instances of a DAG match."""
    count: int = _ask(lookups.GetTICount(dag_id=dag_id, **kwargs), "ti.get_ti_count()", lookups.TICount).count
    return count


def get_task_states(_ti: "RunningTaskInstance", dag_id: str, **kwargs: Any) -> dict[str, Any]:
    """Returns the states of a DAG's task instances, by run id."""
    ask = lookups.GetTaskStates(dag_id=dag_id, **kwargs)
    states: dict[str, Any] = _ask(ask, "ti.get_task_states()", lookups.TaskStatesResult).task_states
    return states


def get_dr_count(_ti: "RunningTaskInstance", dag_id: str, **kwargs: Any) -> int:
    """Returns how many DAG runs of a DAG match."""
    count: int = _ask(lookups.GetDRCount(dag_id=dag_id, **kwargs), "ti.get_dr_count()", lookups.DRCount).count
    return count


def get_dagrun_state(_ti: "RunningTaskInstance", dag_id: str, run_id: str) -> str:
    """Returns the state of a DAG run."""
    ask = lookups.GetDagRunState(dag_id=dag_id, run_id=run_id)
    state: str = _ask(ask, "ti.get_dagrun_state()", lookups.DagRunStateResult).state
    return state


def get_task_breadcrumbs(_ti: "RunningTaskInstance", dag_id: str, run_id: str) -> list[dict[str, Any]]:
    """Returns the task instances of a DAG run that have ended."""
    ask = lookups.GetTaskBreadcrumbs(dag_id=dag_id, run_id=run_id)
    crumbs: list[dict[str, Any]] = _ask(ask, "ti.get_task_breadcrumbs()", lookups.TaskBreadcrumbsResult).breadcrumbs
    return crumbs


def get_dag(_ti: "RunningTaskInstance", dag_id: str) -> Any:
    """Returns what the server knows of a DAG."""
    return _ask(lookups.GetDag(dag_id=dag_id), "ti.get_dag()", lookups.DagResult)


def expanded_count(ti: "RunningTaskInstance") -> int:
    """Returns how many instances this task has in its DAG run."""
    return get_ti_count(ti, ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])


def get_relevant_upstream_map_indexes(
    ti: "RunningTaskInstance", upstream: Any, ti_count: int | None = None, session: Any = None
) -> int | range | None:
    """Returns which map indexes of a task's belong to this one; None for all of them."""
    from airlock_runner.task.upstream import ALL, ONE, relation, same_index

    del ti_count, session
    kind = relation(ti.task, upstream)
    return None if kind in (ALL, ONE) else same_index(ti.task, upstream, kind, ti.map_index)


def get_template_context(ti: "RunningTaskInstance") -> Any:  # noqa: ARG001 - a question to it, as the others
    """Returns the context of the task that runs."""
    from airlock.sdk.definitions.context import get_current_context

    return get_current_context()


def render_templates(ti: "RunningTaskInstance", context: Any = None, jinja_env: Any = None) -> Any:
    """Renders the task's fields, by another context or environment if one is given; returns the task."""
    own = get_template_context(ti) if context is None else context
    ti.task.render_template_fields(own, jinja_env)
    return ti.task
