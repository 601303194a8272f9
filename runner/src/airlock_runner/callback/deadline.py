"""Calls what a deadline that has passed names: a function, or a class such as a notifier's, whose object is called."""

import asyncio
import inspect
import sys
from collections.abc import Callable
from typing import Any

from airlock_runner.callback.loading import Subject
from airlock_runner.json_values import deserialized
from airlock_runner.load import load_named
from airlock_wire.protocol.callbacks import DeadlineCallbacks


def call_deadline(call: DeadlineCallbacks, subject: Subject) -> None:
    """
    Calls it with its arguments, and with ``context`` if it takes one. Raises ImportError, TypeError for an async one
    that cannot be awaited, or what the author's code raises.
    """
    if subject.root not in sys.path:
        sys.path.append(subject.root)
    function = load_named(call.path, lambda: subject.dag)
    kwargs = {name: deserialized(value) for name, value in call.kwargs.items()}
    context = {
        "dag_run": call.dag_run,
        "deadline": {"id": call.deadline_id, "deadline_time": call.deadline_time},
    }
    if call.kind == "async":
        asyncio.run(_awaited(function, kwargs, context))
        return
    result = function(**kwargs, **_context_for(function, context))
    if callable(result):
        # A notifier takes the context by position alone.
        result(context)


async def _awaited(function: Callable[..., Any], kwargs: dict[str, Any], context: dict[str, Any]) -> None:
    await function(**kwargs, **_context_for(function, context))


def _context_for(function: Callable[..., Any], context: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    takes = any(each.name == "context" or each.kind is each.VAR_KEYWORD for each in parameters)
    return {"context": context} if takes else {}
