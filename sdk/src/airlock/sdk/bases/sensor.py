"""Sensors: tasks that look until something is so."""

import hashlib
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.basis.settings import number, wrong
from airlock.sdk.exceptions import (
    AirlockException,
    AirlockFailException,
    AirlockRescheduleException,
    AirlockSensorTimeout,
    AirlockSkipException,
    AirlockTaskTimeout,
    TaskDeferralTimeout,
)
from airlock.sdk.execution_time import log

if TYPE_CHECKING:
    from airlock.sdk.definitions.context import Context

_DEFAULT_TIMEOUT_SECONDS = 604_800.0
_LOGGER = "airlock.task.sensor"


class PokeReturnValue:
    """What a look gave: whether it is done, and the value that the task then has."""

    def __init__(self, is_done: bool, xcom_value: Any | None = None) -> None:
        """``xcom_value`` becomes the task's XCom when it is done."""
        self.is_done = is_done
        self.xcom_value = xcom_value

    def __bool__(self) -> bool:
        """Tells whether it is done."""
        return self.is_done


class BaseSensorOperator(BaseOperator):
    """
    A task that calls ``poke(context)`` until it is true.

    ``mode`` "poke" keeps the process between two looks; "reschedule" ends it and starts a new one. ``timeout`` counts
    from the first look; afterwards the task fails for good, or with ``soft_fail`` is skipped. ``never_fail`` skips it
    at any error of a look, ``silent_fail`` logs errors and looks again. Times are timedeltas or seconds.
    """

    ui_color = "#e6f1f2"
    valid_modes: ClassVar[Iterable[str]] = ["poke", "reschedule"]
    is_sensor = True

    def __init__(
        self,
        *,
        poke_interval: timedelta | float = 60,
        timeout: timedelta | float | None = None,
        soft_fail: bool = False,
        mode: str = "poke",
        exponential_backoff: bool = False,
        max_wait: timedelta | float | None = None,
        silent_fail: bool = False,
        never_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError for a time that is negative, an unknown mode, and soft_fail with never_fail."""
        super().__init__(**kwargs)
        self.poke_interval = _seconds(poke_interval, "poke_interval")
        self.timeout: int | float = _default_timeout() if timeout is None else _seconds(timeout, "timeout")
        self.max_wait = None if max_wait is None else timedelta(seconds=_seconds(max_wait, "max_wait"))
        self.soft_fail = soft_fail
        self.never_fail = never_fail
        self.silent_fail = silent_fail
        self.exponential_backoff = exponential_backoff
        self.mode = mode
        if soft_fail and never_fail:
            raise ValueError("soft_fail and never_fail are mutually exclusive, you can not provide both.")
        if self.mode not in self.valid_modes:
            raise ValueError(
                f"The mode must be one of {list(self.valid_modes)}, {self.dag_id}.{self.task_id}; got {self.mode!r}."
            )

    @property
    def reschedule(self) -> bool:
        """Tells whether the process ends between two looks."""
        return self.mode == "reschedule"

    def poke(self, context: "Context") -> bool | PokeReturnValue:
        """Looks once. A subclass overrides it."""
        del context
        raise AirlockException("a sensor has no poke(); override it")

    def execute(self, context: "Context") -> Any:
        """Looks until it is done; returns the value of the last look."""
        started_at, elapsed = self._clock(context)
        number = 1
        while True:
            result = self._looked(context)
            if result:
                log.line("info", "Success criteria met. Exiting.", _LOGGER)
                return result.xcom_value if isinstance(result, PokeReturnValue) else None
            if elapsed() > self.timeout:
                text = (
                    f"Sensor has timed out; run duration of {elapsed()} seconds exceeds the specified timeout of "
                    f"{self.timeout}."
                )
                raise AirlockSkipException(text) if self.soft_fail else AirlockSensorTimeout(text)
            interval = self._get_next_poke_interval(started_at, elapsed, number)
            if self.reschedule:
                raise AirlockRescheduleException(datetime.now(UTC) + timedelta(seconds=interval))
            time.sleep(interval)
            number += 1

    def _clock(self, context: "Context") -> tuple[datetime | float, Callable[[], float]]:
        if not self.reschedule:
            began = time.monotonic()
            return began, lambda: time.monotonic() - began
        # Between two looks the process is another one: the first look is known to the server alone.
        first = context["ti"].get_first_reschedule_date(context) or datetime.now(UTC)
        return first, lambda: (datetime.now(UTC) - first).total_seconds()  # noqa: PLW0108 - the time of the call

    def _looked(self, context: "Context") -> Any:
        try:
            return self.poke(context)
        except (AirlockSensorTimeout, AirlockTaskTimeout, AirlockFailException) as e:
            self._skip_instead(e)
            raise
        except AirlockSkipException:
            raise
        except Exception as e:
            if self.silent_fail:
                self.log.exception("Sensor poke failed:")
                return False
            if self.never_fail:
                raise AirlockSkipException("Skipping due to never_fail is set to True.") from e
            raise

    def _skip_instead(self, error: BaseException) -> None:
        for name in ("soft_fail", "never_fail"):
            if getattr(self, name):
                raise AirlockSkipException(f"Skipping due to {name} is set to True.") from error

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: "Context") -> Any:
        """Goes on after a deferral; its timeout is the sensor's."""
        try:
            try:
                return super().resume_execution(next_method, next_kwargs, context)
            except TaskDeferralTimeout as e:
                raise AirlockSensorTimeout(*e.args) from e
        except AirlockSkipException:
            raise
        except AirlockException as e:
            self._skip_instead(e)
            raise

    def _get_next_poke_interval(
        self, started_at: datetime | float, run_duration: Callable[[], float], poke_count: int
    ) -> float:
        """Returns the seconds until the next look: Airflow's formula, a doubling with a jitter that stays the same."""
        if not self.exponential_backoff:
            return self.poke_interval
        if self.reschedule:
            # The count is not kept from look to look: the waits are gone through again until the time is over.
            passed, count = 0.0, 0
            while passed <= run_duration():
                count += 1
                passed += self._backoff(started_at, count)
            poke_count = count or poke_count
        interval = min(self.timeout - int(run_duration()), self._backoff(started_at, poke_count))
        return interval if self.max_wait is None else min(self.max_wait.total_seconds(), interval)

    def _backoff(self, started_at: datetime | float, count: int) -> float:
        base = max(int(self.poke_interval * (2 ** (count - 2))), 1)
        text = f"{self.dag_id}#{self.task_id}#{started_at}#{count}"
        number = int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16)
        return min(base + number % base, timedelta.max.total_seconds() - 1)


def poke_mode_only(sensor_class: Any) -> Any:
    """Makes a class of sensors refuse every mode but "poke"."""
    if not (isinstance(sensor_class, type) and issubclass(sensor_class, BaseSensorOperator)):
        raise ValueError(f"poke_mode_only goes on a subclass of BaseSensorOperator, not on {sensor_class}")

    def write(_: Any, value: str) -> None:
        if value != "poke":
            raise ValueError(f"Cannot set mode to '{value}'. Only 'poke' is acceptable")

    setattr(sensor_class, "mode", property(lambda _: "poke", write))  # noqa: B010 - mypy knows it as a text
    return sensor_class


def _default_timeout() -> float:
    seconds = number("sensors", "default_timeout", _DEFAULT_TIMEOUT_SECONDS)
    if not 0 <= seconds < float("inf"):
        raise wrong("sensors", "default_timeout", seconds, "0 seconds or more")
    return seconds


def _seconds(value: Any, name: str) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"Operator arg `{name}` must be timedelta object or a non-negative number, not {value!r}")
    return value
