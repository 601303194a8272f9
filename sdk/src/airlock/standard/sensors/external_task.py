"""A sensor that waits for a task, a group or a run of another DAG, and the marker of a task that others wait for."""

import datetime as dt
import warnings
from collections.abc import Callable, Collection, Iterable
from typing import Any

from airlock.sdk._signature import signature_of
from airlock.sdk.bases.operatorlink import BaseOperatorLink
from airlock.sdk.bases.sensor import BaseSensorOperator
from airlock.sdk.basis.states import DagRunState, TaskInstanceState
from airlock.sdk.exceptions import AirlockSkipException
from airlock.standard.deferral import deferrable_or_default
from airlock.standard.exceptions import (
    DuplicateStateError,
    ExternalDagFailedError,
    ExternalTaskFailedError,
    ExternalTaskGroupFailedError,
    ExternalTaskNotFoundError,
)
from airlock.standard.operators.datetime import run_date
from airlock.standard.operators.empty import EmptyOperator
from airlock.standard.triggers.external_task import WorkflowTrigger, runs_in

_ONE_OF = "use external_task_id or external_task_ids or external_task_group_id."


class ExternalDagLink(BaseOperatorLink):
    """The button to the DAG that is waited for, or that waits."""

    name = "External DAG"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Returns the run's address in the UI."""
        return f"/dags/{operator.external_dag_id}/runs/{ti_key.run_id}"


class ExternalTaskSensor(BaseSensorOperator):
    """
    Waits until a task, several, a group, or a whole run of the DAG ``external_dag_id`` is in one of ``allowed_states``.

    The run is that of the same logical date, of ``execution_delta`` before it, or of the dates that
    ``execution_date_fn`` returns. One of ``failed_states`` fails the sensor (``soft_fail`` skips it), one of
    ``skipped_states`` skips it. ``deferrable`` waits in a trigger.
    """

    template_fields: Collection[str] = (
        "external_dag_id", "external_task_id", "external_task_ids", "external_task_group_id",
    )  # fmt: skip
    ui_color = "#4db7db"
    operator_extra_links = (ExternalDagLink(),)

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        allowed_states: Iterable[str] | None = None,
        skipped_states: Iterable[str] | None = None,
        failed_states: Iterable[str] | None = None,
        execution_delta: dt.timedelta | None = None,
        execution_date_fn: Callable[..., Any] | None = None,
        check_existence: bool = False,
        poll_interval: float | None = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """
        Raises ValueError for arguments that exclude each other and for unknown states. Raises DuplicateStateError for a
        state in two lists.
        """
        if poll_interval is not None:
            warnings.warn("`poll_interval` is deprecated; use `poke_interval`", DeprecationWarning, stacklevel=2)
            kwargs.setdefault("poke_interval", poll_interval)
        super().__init__(**kwargs)
        self.allowed_states = _words(allowed_states) or ["success"]
        self.skipped_states = _words(skipped_states)
        self.failed_states = _words(failed_states)
        if external_task_id is not None and external_task_ids:
            raise ValueError(
                "Only one of `external_task_id` or `external_task_ids` may be provided to ExternalTaskSensor; "
                + _ONE_OF
            )
        ids = [external_task_id] if external_task_id is not None else external_task_ids or None
        if external_task_group_id is not None and ids is not None:
            raise ValueError(
                "Only one of `external_task_group_id` or `external_task_ids` may be provided to ExternalTaskSensor; "
                + _ONE_OF
            )
        if execution_delta is not None and execution_date_fn is not None:
            raise ValueError(
                "Only one of `execution_delta` or `execution_date_fn` may be provided to ExternalTaskSensor; not both."
            )
        self._check_states(DagRunState if ids is None and external_task_group_id is None else TaskInstanceState)
        self.execution_delta = execution_delta
        self.execution_date_fn = execution_date_fn
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.external_task_ids: Any = ids
        self.external_task_group_id = external_task_group_id
        self.check_existence = check_existence
        self.deferrable = deferrable_or_default(deferrable)

    def _check_states(self, kind: Any) -> None:
        states = [*self.allowed_states, *self.skipped_states, *self.failed_states]
        if len(set(states)) != len(states):
            raise DuplicateStateError(
                "Duplicate values provided across allowed_states, skipped_states and failed_states."
            )
        known = [each.value for each in kind]
        if unknown := sorted(set(states) - set(known)):
            raise ValueError(
                f"Valid values for `allowed_states`, `skipped_states` and `failed_states` are {known}; not {unknown}"
            )

    def _get_dttm_filter(self, context: Any) -> list[dt.datetime]:
        """Returns the logical dates of the runs that are waited for."""
        date = run_date(context)
        if self.execution_delta:
            return [date - self.execution_delta]
        if self.execution_date_fn is None:
            return [date]
        signature = signature_of(self.execution_date_fn)
        others = {**{key: value for key, value in context.items() if key != "logical_date"}, "context": context}
        named = set(signature.by_name[1:])
        kwargs = others if signature.any_name else {key: value for key, value in others.items() if key in named}
        dates = self.execution_date_fn(date, **kwargs)
        return dates if isinstance(dates, list) else [dates]

    def poke(self, context: Any) -> bool:
        """Looks once."""
        if self.external_task_ids and len(self.external_task_ids) > len(set(self.external_task_ids)):
            raise ValueError("Duplicate task_ids passed in external_task_ids parameter")
        dates = self._get_dttm_filter(context)
        self.log.info("Poking for %s on %s ...", self._what(), ", ".join(date.isoformat() for date in dates))
        ti = context["ti"]
        if self.failed_states and self._count(ti, dates, self.failed_states) > 0:
            self._fail()
        if self.skipped_states and self._count(ti, dates, self.skipped_states) > 0:
            raise AirlockSkipException(f"{self._what()} reached a state in our states-to-skip-on list. Skipping.")
        return self._count(ti, dates, self.allowed_states) == len(dates)

    def _count(self, ti: Any, dates: list[dt.datetime], states: list[str]) -> float:
        """Returns for how many of the dates everything that is waited for is in one of the states."""
        if self.external_task_ids:
            count: int = ti.get_ti_count(
                dag_id=self.external_dag_id,
                task_ids=list(self.external_task_ids),
                logical_dates=dates,
                states=states,
            )
            return count / len(self.external_task_ids)
        if self.external_task_group_id:
            task_states = ti.get_task_states(
                dag_id=self.external_dag_id, task_group_id=self.external_task_group_id, logical_dates=dates
            )
            return float(runs_in(task_states, states))
        runs: int = ti.get_dr_count(dag_id=self.external_dag_id, logical_dates=dates, states=states)
        return runs

    def _what(self) -> str:
        if self.external_task_ids:
            return f"Some of the external tasks {list(self.external_task_ids)} in DAG {self.external_dag_id}"
        if self.external_task_group_id:
            return f"The external task_group '{self.external_task_group_id}' in DAG '{self.external_dag_id}'"
        return f"The external DAG {self.external_dag_id}"

    def _fail(self) -> None:
        if self.soft_fail:
            raise AirlockSkipException(f"{self._what()} failed. Skipping due to soft_fail.")
        if self.external_task_ids:
            raise ExternalTaskFailedError(f"{self._what()} failed.")
        if self.external_task_group_id:
            raise ExternalTaskGroupFailedError(f"{self._what()} failed.")
        raise ExternalDagFailedError(f"{self._what()} failed.")

    def execute(self, context: Any) -> None:
        """Waits, in a trigger where it is deferrable."""
        if not self.deferrable:
            super().execute(context)
            return
        limit = self.timeout or (self.execution_timeout.total_seconds() if self.execution_timeout else 0)
        self.defer(
            timeout=dt.timedelta(seconds=limit) if limit else None,
            trigger=WorkflowTrigger(
                external_dag_id=self.external_dag_id,
                external_task_group_id=self.external_task_group_id,
                external_task_ids=self.external_task_ids,
                allowed_states=self.allowed_states,
                failed_states=self.failed_states,
                skipped_states=self.skipped_states,
                poke_interval=self.poke_interval,
                soft_fail=self.soft_fail,
                logical_dates=self._get_dttm_filter(context),
                run_ids=None,
                execution_dates=None,
            ),
            method_name="execute_complete",
        )

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> None:
        """Goes on when the trigger has fired. Raises as the event says."""
        del context
        if event is None:
            raise ExternalTaskNotFoundError("No event received from trigger")
        status = event["status"]
        if status == "success":
            self.log.info("External tasks %s has executed successfully.", self.external_task_ids)
        elif status == "skipped":
            raise AirlockSkipException("External job has skipped skipping.")
        elif self.soft_fail:
            raise AirlockSkipException("External job has failed skipping.")
        elif status == "failed":
            raise ExternalDagFailedError("External job has failed.")
        else:
            raise ExternalTaskNotFoundError(
                "Error occurred while trying to retrieve task status. Please, check the name of executed task and Dag."
            )


class ExternalTaskMarker(EmptyOperator):
    """Says that the task ``external_task_id`` of another DAG waits for this one: a recursive clear clears that, too."""

    template_fields: Collection[str] = ("external_dag_id", "external_task_id", "logical_date")
    ui_color = "#4db7db"
    operator_extra_links = (ExternalDagLink(),)

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str,
        logical_date: str | dt.datetime | None = "{{ logical_date.isoformat() }}",
        recursion_depth: int = 10,
        **kwargs: Any,
    ) -> None:
        """Raises TypeError for what is not a date, and ValueError for a depth below 1."""
        super().__init__(**kwargs)
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        if not isinstance(logical_date, str | dt.datetime):
            raise TypeError(f"Expected str or datetime.datetime type for logical_date. Got {type(logical_date)}")
        self.logical_date = logical_date if isinstance(logical_date, str) else logical_date.isoformat()
        if recursion_depth <= 0:
            raise ValueError("recursion_depth should be a positive integer")
        self.recursion_depth = recursion_depth


def _words(states: Iterable[Any] | None) -> list[str]:
    return [str(getattr(state, "value", state)) for state in states or ()]
