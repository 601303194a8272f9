"""What the operators that wait have in common: whether they wait in a trigger, and what they begin there with."""

from typing import Any, Final

from airlock.sdk.bases.trigger import StartTriggerArgs
from airlock.sdk.basis.settings import switch

_DATE_TIME: Final = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"


def deferrable_or_default(deferrable: bool | None) -> bool:
    """Returns the argument ``deferrable`` of an operator, or the setting where it was left out."""
    return switch("operators", "default_deferrable", default=False) if deferrable is None else deferrable


def start_at(**kwargs: Any) -> StartTriggerArgs:
    """Returns how a task begins in a trigger that waits for a moment; ``kwargs`` are the trigger's."""
    return StartTriggerArgs(trigger_cls=_DATE_TIME, trigger_kwargs=kwargs, next_method="execute_complete")
