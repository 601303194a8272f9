"""
Everything that `airlock.sdk` and the runner raise into a DAG author's code.

* AirlockException              the root: catch it to catch all of these but those at the end
  x AirlockSkipException        you raise it: the task ends as skipped
  x AirlockFailException        you raise it: the task fails now, whatever tries are left
  x AirlockRescheduleException  you raise it: the task is started again at a date
  x AirlockSensorTimeout        a sensor has looked for too long: the task fails now
  x DagRunTriggerException      an operator raises it: the runner makes a DAG run
  x DownstreamTasksSkipped      a branch raises it: the runner skips tasks
  x TaskDeferralError           the trigger of a deferred task failed
  x TaskDeferralTimeout         the trigger of a deferred task took too long
  x XComNotFound                a task pushed no XCom of this key
  x TaskAlreadyRunningError     the task runs already, in another process
  x DuplicateTaskIdFound        an id is there twice: rename one
  x TaskAlreadyInTaskGroup      a task is in two groups: take it out of one
  x TaskNotFound                the DAG has no task of this id
    + NodeNotFound              it has no task and no group of this id (also a KeyError)
  x AirlockNotFoundException    something that was asked for does not exist
  x AirlockConfigException      a setting does not exist or has a wrong value: correct it where the message says
  x AirlockOptionalProviderFeatureException  a feature needs a package that is not installed
  x AirlockDagCycleException    tasks wait for each other: remove an arrow
  x FailFastDagInvalidTriggerRule  a DAG that stops at the first failure has a task that waits for failures
  x AirlockTimetableInvalid     the schedule cannot be read
  x ParamValidationError        a parameter's value does not fit its schema (also a ValueError)
  x AirlockRuntimeError         the platform refused a request; `.error` holds its answer
    + PermissionDenied          a grant is missing: ask for it, never look for the value elsewhere
    + VariableNotFound          create the variable or pass a default (also a KeyError)
    + ConnectionNotFound        create the connection (also an AirlockNotFoundException)
  x InvalidVariable             the value is not the JSON that was asked for (also a ValueError)
  x OutsideTask                 a platform call where no task runs: move it into a task
  x ChannelError                the request could not be sent or answered; nothing was changed in part
    + FrameTooLarge             keep the value in storage and pass its address
    + ChannelLost               the sidecar is gone for good: the launch ends
  x NotJson                     a value that has to be JSON is not: convert it where the message says
  x TemplateError               a templated string could not be rendered
  x LoadError                   the DAG file, the DAG or the task could not be loaded
* XComForMappingNotPushed       a TypeError: a task that others are mapped over returned nothing
* UnmappableXComTypePushed      a TypeError: it returned what is neither a list nor a dict
* BaseException                 let these pass: they end the task, and `except Exception` does not see them
  + TaskTerminated              the task is being stopped; clean up in `finally`
  + AirlockTaskTimeout          the execution timeout is over
  + TaskDeferred                the task waits for a trigger
  + TaskAwaitingInput           the task waits for a person
"""

from datetime import datetime, timedelta
from typing import Any

from airlock_wire.protocol.messages import ErrorResponse


class AirlockException(Exception):
    """The root of what Airlock raises into user code."""


class AirlockSkipException(AirlockException):
    """Raise it to end the task as skipped."""


class AirlockFailException(AirlockException):
    """Raise it to fail the task without another try."""


class AirlockNotFoundException(AirlockException):
    """Something that was asked for does not exist."""


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


class ConnectionNotFound(AirlockRuntimeError, AirlockNotFoundException):
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


class AirlockConfigException(AirlockException):
    """A setting does not exist, or its value is not what was asked for. The text names it."""


class AirlockOptionalProviderFeatureException(AirlockException):
    """A feature needs a package that is not installed."""


class AirlockRescheduleException(AirlockException):
    """Raise it to have the task started again at a date, with nothing remembered."""

    def __init__(self, reschedule_date: datetime) -> None:
        """``reschedule_date`` has a time zone."""
        super().__init__(f"the task is started again at {reschedule_date}")
        self.reschedule_date = reschedule_date


class AirlockSensorTimeout(AirlockException):
    """A sensor has looked for too long."""


class AirlockTaskTimeout(BaseException):
    """The execution timeout is over."""


class TaskDeferralError(AirlockException):
    """The trigger of a deferred task failed."""


class TaskDeferralTimeout(AirlockException):
    """The trigger of a deferred task took too long."""


class TaskDeferred(BaseException):
    """The task waits for ``trigger``, and goes on in ``method_name``. ``timeout`` is a timedelta, or None."""

    def __init__(
        self,
        *,
        trigger: Any,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        """``timeout`` may be seconds; ``trigger`` is a BaseTrigger."""
        super().__init__(f"the task waits for {trigger!r} and goes on in {method_name}()")
        if timeout is not None and not isinstance(timeout, timedelta):
            if isinstance(timeout, bool) or not isinstance(timeout, int | float):
                raise ValueError("Timeout value must be a timedelta")
            timeout = timedelta(seconds=timeout)
        self.trigger = trigger
        self.method_name = method_name
        self.kwargs = kwargs
        self.timeout = timeout


class TaskAwaitingInput(BaseException):
    """The task waits for a person's answer, and goes on in ``method_name``."""

    def __init__(
        self, *, method_name: str, kwargs: dict[str, Any] | None = None, timeout: timedelta | None = None
    ) -> None:
        """``timeout`` None waits without a limit."""
        super().__init__(f"the task waits for an answer and goes on in {method_name}()")
        self.method_name = method_name
        self.kwargs = kwargs
        self.timeout = timeout


class DagRunTriggerException(AirlockException):
    """An operator raises it: the runner makes a DAG run, and waits for it if it is to."""

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        dag_run_id: str,
        conf: dict[str, Any] | None,
        logical_date: datetime | None,
        reset_dag_run: bool,
        skip_when_already_exists: bool,
        wait_for_completion: bool,
        allowed_states: list[Any],
        failed_states: list[Any],
        poke_interval: int,
        deferrable: bool,
        note: str | None = None,
        run_after: datetime | None = None,
    ) -> None:
        """Takes the arguments of TriggerDagRunOperator, rendered."""
        super().__init__(f"the task makes the DAG run {dag_run_id!r} of {trigger_dag_id!r}")
        self.trigger_dag_id = trigger_dag_id
        self.dag_run_id = dag_run_id
        self.conf = conf
        self.logical_date = logical_date
        self.reset_dag_run = reset_dag_run
        self.skip_when_already_exists = skip_when_already_exists
        self.wait_for_completion = wait_for_completion
        self.allowed_states = allowed_states
        self.failed_states = failed_states
        self.poke_interval = poke_interval
        self.deferrable = deferrable
        self.note = note
        self.run_after = run_after


class DownstreamTasksSkipped(AirlockException):
    """A branch raises it: the runner skips ``tasks`` (ids, or pairs of one and a map index), and the task succeeds."""

    def __init__(self, *, tasks: Any) -> None:
        """``tasks`` are in this DAG run."""
        super().__init__(f"the tasks {tasks!r} are skipped")
        self.tasks = tasks


class XComNotFound(AirlockException):
    """There is no XCom of this key."""

    def __init__(self, dag_id: str, task_id: str, key: str) -> None:
        """Names the XCom."""
        super().__init__(f'XComArg result from {task_id} at {dag_id} with key="{key}" is not found!')
        self.dag_id = dag_id
        self.task_id = task_id
        self.key = key


class XComForMappingNotPushed(TypeError):
    """A task that others are mapped over returned nothing."""

    def __str__(self) -> str:
        """Returns the fault and the fix."""
        return "did not push XCom for task mapping: return a list or dict, as other tasks are mapped over it"


class UnmappableXComTypePushed(TypeError):
    """A task that others are mapped over returned what is neither a list nor a dict."""

    def __init__(self, value: Any, *values: Any) -> None:
        """Keeps the value for the message."""
        super().__init__(value, *values)

    def __str__(self) -> str:
        """Returns the fault and the fix."""
        kinds = " in ".join(type(each).__qualname__ for each in self.args)
        return f"unmappable return type {kinds!r}: return a list or dict, as other tasks are mapped over it"


class ParamValidationError(AirlockException, ValueError):
    """A parameter's value does not fit its schema."""


class TaskAlreadyRunningError(AirlockException):
    """The task runs already, in another process."""


class DuplicateTaskIdFound(AirlockException):
    """An id of a task or group is there twice."""


class TaskAlreadyInTaskGroup(AirlockException):
    """A task is put into a second group."""

    def __init__(self, task_id: str, existing_group_id: str | None, new_group_id: str) -> None:
        """Names the task and both groups."""
        where = f"group {existing_group_id!r}" if existing_group_id else "the DAG's root group"
        super().__init__(f"cannot add task {task_id!r} to group {new_group_id!r}: it is already in {where}")
        self.task_id = task_id
        self.existing_group_id = existing_group_id
        self.new_group_id = new_group_id


class TaskNotFound(AirlockException):
    """The DAG has no task of this id."""


class NodeNotFound(TaskNotFound, KeyError):
    """The DAG or group has no task and no group of this id."""

    def __str__(self) -> str:
        """Returns the text as it is; a KeyError would quote it."""
        return str(self.args[0]) if self.args else ""


class AirlockDagCycleException(AirlockException):
    """Tasks of a DAG wait for each other."""


class FailFastDagInvalidTriggerRule(AirlockException):
    """A DAG that stops at the first failure has a task with another trigger rule than ``all_success``."""


class AirlockTimetableInvalid(AirlockException):
    """A schedule cannot be read."""


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
