"""
Chooses the options of a TaskRun: the TaskRun's own, else the task's own, else the default. Pure.

The task's own options come with the sidecar's record of an attempt, and stay in the status for later attempts.
"""

from airlock_operator.durations import seconds
from airlock_operator.observe.taskrun import TaskRun
from airlock_wire import options as wire
from airlock_wire.options import TaskOptions
from airlock_wire.taskrun import Option

RETRIES, RETRY_DELAY, EXECUTION_TIMEOUT = "retries", "retryDelay", "executionTimeout"


def undecided(run: TaskRun) -> tuple[str, ...]:
    """
    Returns the names of the options that the sidecar takes from the task. Airflow's runner and a real Airflow apply
    theirs themselves.
    """
    if run.airflow or run.by_secret:
        return ()
    spec = run.spec
    given = ((wire.RETRIES, spec.retries), (wire.RETRY_DELAY, spec.retry_delay))
    return tuple(name for name, value in (*given, (wire.EXECUTION_TIMEOUT, spec.execution_timeout)) if value is None)


def counted(run: TaskRun, told: TaskOptions | None) -> dict[str, Option]:
    """Returns the options as the status shows them. ``told`` are the task's own, from the attempt that has ended."""
    spec, before = run.spec, run.status.options
    given = {
        RETRIES: None if spec.retries is None else str(spec.retries),
        RETRY_DELAY: spec.retry_delay,
        EXECUTION_TIMEOUT: spec.execution_timeout,
    }
    tasks = {} if told is None else _texts(told)
    default = {RETRIES: "0", RETRY_DELAY: "0s"}
    found: dict[str, Option] = {}
    for name, value in given.items():
        if value is not None:
            found[name] = Option(value, "TaskRun")
        elif name in tasks:
            found[name] = Option(tasks[name], "Task")
        elif name in before:
            found[name] = before[name]
        elif name in default:
            found[name] = Option(default[name], "Default")
    return found


def retries(run: TaskRun, told: TaskOptions | None) -> int:
    """Tells how many tries may follow the first."""
    return int(counted(run, told)[RETRIES].value)


def retry_seconds(run: TaskRun, told: TaskOptions | None) -> float:
    """Tells how long the next try waits."""
    return seconds(counted(run, told)[RETRY_DELAY].value)


def _texts(told: TaskOptions) -> dict[str, str]:
    written = {
        RETRIES: None if told.retries is None else str(told.retries),
        RETRY_DELAY: _duration(told.retry_delay_seconds),
        EXECUTION_TIMEOUT: _duration(told.execution_timeout_seconds),
    }
    return {name: text for name, text in written.items() if text is not None}


def _duration(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}".rstrip("0").rstrip(".") + "s"
