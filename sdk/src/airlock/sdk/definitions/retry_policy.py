"""Retry policies: whether an exception deserves another try, and after how long."""

import abc
import datetime as dt
from collections.abc import Iterator
from enum import Enum
from typing import Any, ClassVar, Self

from airlock.sdk.basis.record import Record

_Spec = type[BaseException] | str


class RetryAction(Enum):
    """What follows an exception: another try if the task has one left, no other try, or what the task's options say."""

    RETRY = "retry"
    FAIL = "fail"
    DEFAULT = "default"


class RetryDecision(Record):
    """What a policy answers. ``retry_delay`` None is the task's own delay; ``reason`` is for people."""

    _record: ClassVar[tuple[str, ...]] = ("action", "retry_delay", "reason")

    def __init__(
        self,
        action: RetryAction = RetryAction.DEFAULT,
        retry_delay: dt.timedelta | None = None,
        reason: str | None = None,
    ) -> None:
        """Without arguments it is what the task's options say."""
        self.action = action
        self.retry_delay = retry_delay
        self.reason = reason

    @classmethod
    def fail(cls, reason: str | None = None) -> Self:
        """Returns: no other try."""
        return cls(RetryAction.FAIL, reason=reason)

    @classmethod
    def retry(cls, delay: dt.timedelta | None = None, reason: str | None = None) -> Self:
        """Returns: another try, after a delay if one is given."""
        return cls(RetryAction.RETRY, delay, reason)

    @classmethod
    def default(cls) -> Self:
        """Returns: what the task's options say."""
        return cls()


class RetryPolicy(abc.ABC):
    """
    The base of the policies. A runner asks it when a task raised an exception that a retry may help.

    AirlockFailException and a sensor's timeout end the task without asking. An exception of the policy itself counts as
    the answer DEFAULT.
    """

    @abc.abstractmethod
    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Returns what follows. The first try has number 1; RETRY needs a try that is left."""

    def serialize(self) -> dict[str, Any]:
        """Returns the policy as plain JSON, if it can be."""
        raise NotImplementedError(f"{type(self).__name__} must implement serialize()")

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Returns the policy of what ``serialize`` returned."""
        raise NotImplementedError(f"{cls.__name__} must implement deserialize()")


class RetryRule(Record):
    """
    What follows an exception of a class, of a class by its path, or of one of a list of these.

    ``match_subclasses``: exceptions of derived classes too. A class whose path cannot be imported matches nothing.
    """

    _record: ClassVar[tuple[str, ...]] = ("exception", "action", "retry_delay", "reason", "match_subclasses")

    def __init__(
        self,
        exception: _Spec | list[_Spec],
        action: RetryAction = RetryAction.RETRY,
        retry_delay: dt.timedelta | None = None,
        reason: str | None = None,
        match_subclasses: bool = True,
    ) -> None:
        """Raises ValueError for text that is not a path with dots."""
        self.exception = exception
        self.action = action
        self.retry_delay = retry_delay
        self.reason = reason
        self.match_subclasses = match_subclasses
        for each in self._specs:
            if isinstance(each, str) and "." not in each:
                raise ValueError(f"RetryRule: {each!r} is not the path of an exception, like 'builtins.ValueError'")

    @property
    def _specs(self) -> list[_Spec]:
        return self.exception if isinstance(self.exception, list) else [self.exception]

    @property
    def exception_path(self) -> str:
        """The path of the class, or those of the list with commas between."""
        return ",".join(map(_path, self._specs))

    def matches(self, exc: BaseException) -> bool:
        """Tells whether the rule is about an exception."""
        if self.match_subclasses:
            return isinstance(exc, tuple(self._classes()))
        return type(exc) in self._classes()

    def _classes(self) -> Iterator[type[BaseException]]:
        for each in self._specs:
            if isinstance(each, type):
                yield each
                continue
            from airlock.sdk.serde.form import imported  # deferred: only after an exception

            try:
                yield imported(each)
            except ImportError as error:
                import logging  # deferred: as above

                logging.getLogger(__name__).warning("RetryRule: %s matches nothing: %s", each, error)

    def serialize(self) -> dict[str, Any]:
        """Returns the rule as plain JSON."""
        paths = [_path(each) for each in self._specs]
        data: dict[str, Any] = {
            "exception": paths if len(paths) > 1 else paths[0],
            "action": self.action.value,
            "match_subclasses": self.match_subclasses,
        }
        if self.retry_delay is not None:
            data["retry_delay"] = self.retry_delay.total_seconds()
        if self.reason is not None:
            data["reason"] = self.reason
        return data

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Returns the rule of what ``serialize`` returned."""
        delay = data.get("retry_delay")
        return cls(
            data["exception"],
            RetryAction(data["action"]),
            None if delay is None else dt.timedelta(seconds=delay),
            data.get("reason"),
            data.get("match_subclasses", True),
        )


def _path(spec: _Spec) -> str:
    return spec if isinstance(spec, str) else f"{spec.__module__}.{spec.__qualname__}"


class ExceptionRetryPolicy(RetryPolicy):
    """A list of rules: the first that matches the exception decides, and ``default`` if no rule matches."""

    def __init__(self, rules: list[RetryRule], default: RetryAction = RetryAction.DEFAULT) -> None:
        """``default`` is what follows an exception that no rule is about."""
        self.rules = rules
        self.default = default

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - the rules look at the exception alone
        max_tries: int,  # noqa: ARG002 - as above
        context: Any = None,  # noqa: ARG002 - as above
    ) -> RetryDecision:
        """Returns what the first rule that matches says."""
        rule = next((each for each in self.rules if each.matches(exception)), None)
        if rule is None:
            return RetryDecision(self.default)
        return RetryDecision(rule.action, rule.retry_delay, rule.reason or f"a rule matches {type(exception).__name__}")

    def serialize(self) -> dict[str, Any]:
        """Returns the rules and the default as plain JSON."""
        return {
            "__type": "ExceptionRetryPolicy",
            "rules": [rule.serialize() for rule in self.rules],
            "default": self.default.value,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Returns the policy of what ``serialize`` returned."""
        return cls([RetryRule.deserialize(rule) for rule in data["rules"]], RetryAction(data.get("default", "default")))
