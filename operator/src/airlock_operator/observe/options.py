"""
Chooses the options of a TaskRun: the TaskRun's own, else the task's own, else the default. Pure.

The task's own options come with the sidecar's record of an attempt, and stay in the status for later attempts.
"""

import msgspec

from airlock_operator.durations import seconds
from airlock_operator.observe.taskrun import TaskRun
from airlock_wire import options as wire
from airlock_wire.options import TaskOptions
from airlock_wire.taskrun import Option

RETRIES, RETRY_DELAY, EXECUTION_TIMEOUT = "retries", "retryDelay", "executionTimeout"
#: How the task's own delay grows. A delay that the TaskRun says does not grow.
BACKOFF, MAX_RETRY_DELAY = "retryExponentialBackoff", "maxRetryDelay"


class RetryDelays(msgspec.Struct, frozen=True):
    """The delay before a next try in seconds, what it is multiplied with after each try, and what it may grow to."""

    seconds: float
    factor: float = 0.0
    max_seconds: float | None = None


def undecided(run: TaskRun) -> tuple[str, ...]:
    """
    Returns the names of the options that the sidecar takes from the task. Airflow's runner and a real Airflow apply
    theirs themselves.
    """
    if run.airflow or run.by_secret:
        return ()
    spec = run.spec
    retry_options = ((wire.RETRIES, spec.retries), (wire.RETRY_DELAY, spec.retry_delay))
    return tuple(
        name for name, value in (*retry_options, (wire.EXECUTION_TIMEOUT, spec.execution_timeout)) if value is None
    )


def counted(run: TaskRun, from_task: TaskOptions | None) -> dict[str, Option]:
    """Returns the options as the status shows them. ``from_task`` are the task's own, from the attempt that ended."""
    spec, before = run.spec, run.status.options
    from_spec = {
        RETRIES: None if spec.retries is None else str(spec.retries),
        RETRY_DELAY: spec.retry_delay,
        EXECUTION_TIMEOUT: spec.execution_timeout,
    }
    if spec.retry_delay is None:
        from_spec |= {BACKOFF: None, MAX_RETRY_DELAY: None}
    tasks = {} if from_task is None else _texts(from_task)
    default = {RETRIES: "0", RETRY_DELAY: "0s"}
    options: dict[str, Option] = {}
    for name, value in from_spec.items():
        if value is not None:
            options[name] = Option(value, "TaskRun")
        elif name in tasks:
            options[name] = Option(tasks[name], "Task")
        elif name in before:
            options[name] = before[name]
        elif name in default:
            options[name] = Option(default[name], "Default")
    return options


def retries(run: TaskRun, from_task: TaskOptions | None) -> int:
    """Tells how many tries may follow the first."""
    return int(counted(run, from_task)[RETRIES].value)


def retry_delays(run: TaskRun, from_task: TaskOptions | None) -> RetryDelays:
    """Returns how long a next try waits, and how that grows."""
    texts = {name: option.value for name, option in counted(run, from_task).items()}
    most = texts.get(MAX_RETRY_DELAY)
    return RetryDelays(
        seconds(texts[RETRY_DELAY]), float(texts.get(BACKOFF, 0)), None if most is None else seconds(most)
    )


def _texts(options: TaskOptions) -> dict[str, str]:
    factor = options.retry_exponential_backoff
    texts = {
        RETRIES: None if options.retries is None else str(options.retries),
        RETRY_DELAY: _duration(options.retry_delay_seconds),
        EXECUTION_TIMEOUT: _duration(options.execution_timeout_seconds),
        BACKOFF: None if factor is None else repr(factor).removesuffix(".0"),
        MAX_RETRY_DELAY: _duration(options.max_retry_delay_seconds),
    }
    return {name: text for name, text in texts.items() if text is not None}


def _duration(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}".rstrip("0").rstrip(".") + "s"
