"""
Everything that `airlock.sdk` and the runner raise into a DAG author's code.

* AirlockException              the root: catch it to catch all of these but TaskTerminated
  x AirlockSkipException        you raise it: the task ends as skipped
  x AirlockFailException        you raise it: the task fails now, whatever tries are left
  x AirlockRuntimeError         the platform refused a request; `.error` holds its answer
    + PermissionDenied          a grant is missing: ask for it, never look for the value elsewhere
    + VariableNotFound          create the variable or pass a default (also a KeyError)
    + ConnectionNotFound        create the connection
  x InvalidVariable             the value is not the JSON that was asked for (also a ValueError)
  x OutsideTask                 a platform call where no task runs: move it into a task
  x ChannelError                the request could not be sent or answered; nothing was changed in part
    + FrameTooLarge             keep the value in storage and pass its address
    + ChannelLost               the sidecar is gone for good: the launch ends
  x NotJson                     a value that has to be JSON is not: convert it where the message says
  x TemplateError               a templated string could not be rendered
  x LoadError                   the DAG file, the DAG or the task could not be loaded
* TaskTerminated                a BaseException: the task is being stopped; clean up in `finally` and let it pass
"""

from typing import Any

from airlock_wire.protocol.messages import ErrorResponse


class AirlockException(Exception):
    """The root of what Airlock raises into user code."""


class AirlockSkipException(AirlockException):
    """Raise it to end the task as skipped."""


class AirlockFailException(AirlockException):
    """Raise it to fail the task without another try."""


class AirlockRuntimeError(AirlockException):
    """The platform answered a request with an error. ``error`` is that answer."""

    def __init__(self, error: ErrorResponse, text: str | None = None) -> None:
        """``text`` is the whole message; without it the answer explains itself."""
        self.error = error
        self.text = text or f"{error.error.value}: {reason_in(error)}"
        super().__init__(self.text)

    def __str__(self) -> str:
        """Returns the text as it is, also where a subclass is a KeyError, which would quote it."""
        return self.text


class PermissionDenied(AirlockRuntimeError):
    """The task may not have this. The text names the missing grant where the platform did."""


class VariableNotFound(AirlockRuntimeError, KeyError):
    """There is no such variable, and no default was given."""


class ConnectionNotFound(AirlockRuntimeError):
    """There is no such connection."""


class InvalidVariable(AirlockException, ValueError):
    """The variable's value is not JSON, although ``deserialize_json=True`` asked for it."""


class OutsideTask(AirlockException):
    """A call that needs the platform, made where no task runs."""


class ChannelError(AirlockException):
    """A request to the sidecar could not be made, or its answer made no sense."""


class FrameTooLarge(ChannelError):
    """The request is over the size limit of one frame and was not sent."""


class ChannelLost(ChannelError):
    """The sidecar went away and did not come back in time."""


class NotJson(AirlockException, TypeError):
    """A value that has to be JSON holds something that is not."""


class TemplateError(AirlockException):
    """A templated string could not be rendered. The text names the field and the fault."""


class LoadError(AirlockException):
    """The DAG file, the DAG or the task could not be loaded. The text is one line with file, line and fix."""


class TaskTerminated(BaseException):
    """The task is being stopped. A BaseException, so that ``except Exception`` does not swallow it."""


def reason_in(error: ErrorResponse) -> str:
    """Returns the human part of an error answer: every message its detail holds, outermost first."""
    reasons: list[str] = []
    _collect(error.detail, reasons)
    return "; ".join(dict.fromkeys(reasons)) or "the platform gave no reason"


def _collect(detail: Any, reasons: list[str]) -> None:
    if isinstance(detail, str):
        reasons.append(detail)
    elif isinstance(detail, dict):
        for key in ("message", "detail", "reason", "missing_grant"):
            _collect(detail.get(key), reasons)
    elif isinstance(detail, list):
        # The server's list of what is wrong with a request's values.
        problems = [problem for problem in detail if isinstance(problem, dict) and isinstance(problem.get("loc"), list)]
        reasons.extend(f"{'.'.join(map(str, problem['loc']))}: {problem.get('msg')}" for problem in problems)
