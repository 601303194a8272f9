"""A task that makes a run of another DAG."""

import datetime as dt
from collections.abc import Collection
from typing import Any

import msgspec

from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.bases.operatorlink import BaseOperatorLink
from airlock.sdk.basis.notset import NOTSET, ArgNotSet
from airlock.sdk.basis.states import DagRunState
from airlock.sdk.exceptions import AirlockException, DagRunTriggerException
from airlock.standard.deferral import deferrable_or_default

XCOM_LOGICAL_DATE_ISO = "trigger_logical_date_iso"
XCOM_RUN_ID = "trigger_run_id"
_RANDOM_CHARS = 8


class DagIsPaused(AirlockException):
    """The DAG to trigger is paused."""

    def __init__(self, dag_id: str) -> None:
        """Names the DAG."""
        super().__init__(f"Dag {dag_id} is paused; unpause it, or leave out fail_when_dag_is_paused")
        self.dag_id = dag_id


class TriggerDagRunLink(BaseOperatorLink):
    """The button to the DAG run that was made."""

    name = "Triggered DAG"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Returns the run's address in the UI."""
        del ti_key
        return f"/dags/{operator.trigger_dag_id}/runs/{operator.trigger_run_id}"


class TriggerDagRunOperator(BaseOperator):
    """
    Makes a run of the DAG ``trigger_dag_id``, and with ``wait_for_completion`` waits until it is in one of
    ``allowed_states`` or ``failed_states``; ``deferrable`` waits in a trigger.

    A run of that id that exists is cleared with ``reset_dag_run``, skips this task with ``skip_when_already_exists``,
    and fails it otherwise. The run's id is the XCom ``trigger_run_id``.
    """

    template_fields: Collection[str] = (
        "trigger_dag_id", "trigger_run_id", "logical_date", "conf", "wait_for_completion", "skip_when_already_exists",
    )  # fmt: skip
    template_fields_renderers = {"conf": "py"}  # noqa: RUF012 - Airflow's form
    ui_color = "#ffefeb"
    operator_extra_links = (TriggerDagRunLink(),)

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        trigger_run_id: str | None = None,
        conf: dict[str, Any] | None = None,
        logical_date: str | dt.datetime | ArgNotSet | None = NOTSET,
        run_after: str | dt.datetime | ArgNotSet | None = NOTSET,
        reset_dag_run: bool = False,
        wait_for_completion: bool = False,
        poke_interval: int = 60,
        allowed_states: list[Any] | None = None,
        failed_states: list[Any] | None = None,
        skip_when_already_exists: bool = False,
        fail_when_dag_is_paused: bool = False,
        note: str | None = None,
        deferrable: bool | None = None,
        openlineage_inject_parent_info: bool = True,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError for a state that no DAG run has, and TypeError for what is not a date."""
        super().__init__(**kwargs)
        self.trigger_dag_id = trigger_dag_id
        self.trigger_run_id = trigger_run_id
        self.conf = conf
        self.reset_dag_run = reset_dag_run
        self.wait_for_completion = wait_for_completion
        self.poke_interval = poke_interval
        self.allowed_states = [DagRunState(each) for each in allowed_states or ["success"]]
        self.failed_states = [DagRunState(each) for each in (["failed"] if failed_states is None else failed_states)]
        self.skip_when_already_exists = skip_when_already_exists
        self.fail_when_dag_is_paused = fail_when_dag_is_paused
        self.openlineage_inject_parent_info = openlineage_inject_parent_info
        self.note = note
        self.deferrable = deferrable_or_default(deferrable)
        self.logical_date = logical_date
        self.run_after = _checked("run_after", run_after)

    def execute(self, context: Any) -> None:
        """Makes the run: it tells the runner to, which waits, too."""
        logical_date = _date(_checked("logical_date", self.logical_date))
        if self.logical_date is NOTSET:
            logical_date = dt.datetime.now(dt.UTC) if self.run_after is NOTSET else None
        run_after = None if self.run_after is NOTSET else _date(self.run_after)
        conf: Any = self.conf
        try:
            if conf and isinstance(conf, str):
                conf = msgspec.json.decode(conf)
            msgspec.json.encode(conf)
        except (TypeError, msgspec.MsgspecError):
            raise ValueError(f"conf parameter should be JSON Serializable: {conf}") from None
        if self.fail_when_dag_is_paused and context["ti"].get_dag(self.trigger_dag_id).is_paused:
            raise DagIsPaused(self.trigger_dag_id)
        self.conf = conf
        self.trigger_run_id = str(self.trigger_run_id) if self.trigger_run_id else _run_id(logical_date, run_after)
        raise DagRunTriggerException(
            trigger_dag_id=self.trigger_dag_id,
            dag_run_id=self.trigger_run_id,
            conf=conf,
            logical_date=logical_date,
            run_after=run_after,
            reset_dag_run=self.reset_dag_run,
            skip_when_already_exists=self.skip_when_already_exists,
            wait_for_completion=self.wait_for_completion,
            allowed_states=self.allowed_states,
            failed_states=self.failed_states,
            poke_interval=self.poke_interval,
            deferrable=self.deferrable,
            note=self.note,
        )

    def execute_complete(self, context: Any, event: tuple[str, dict[str, Any]]) -> None:
        """Goes on when the run has ended. Raises AirlockException if it ended in a failed state."""
        del context
        _, data = event
        run_ids = data["run_ids"]
        self.trigger_run_id = run_ids[0] if len(run_ids) == 1 else None
        failed = [run_id for run_id in run_ids if data.get(run_id) in self.failed_states]
        if failed:
            raise AirlockException(
                f"{self.trigger_dag_id} failed with failed states {[str(each) for each in self.failed_states]} for "
                f"run_ids {failed}"
            )


def _run_id(logical_date: dt.datetime | None, run_after: dt.datetime | None) -> str:
    if logical_date is not None:
        return f"manual__{logical_date.isoformat()}"
    import secrets  # deferred: few runs have no date

    # Runs without a logical date may be made at the same moment.
    return f"manual__{(run_after or dt.datetime.now(dt.UTC)).isoformat()}_{secrets.token_hex(_RANDOM_CHARS // 2)}"


def _checked(name: str, value: Any) -> Any:
    if value is NOTSET or value is None or isinstance(value, str | dt.datetime):
        return value
    if type(value).__name__ in ("PlainXComArg", "MappedArgument"):
        return value
    raise TypeError(f"Expected str, datetime.datetime, or None for parameter '{name}'. Got {type(value).__name__}")


def _date(value: Any) -> dt.datetime | None:
    if value is None or value is NOTSET:
        return None
    date = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return date if date.tzinfo is not None else date.replace(tzinfo=dt.UTC)
