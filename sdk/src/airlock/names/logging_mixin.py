"""``airflow.utils.log.logging_mixin``: what gives a class of the author's its logger."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger


class LoggingMixin:
    """Gives a class ``self.log``, whose lines are in the task's log."""

    @property
    def log(self) -> "Logger":
        """The logger of the class."""
        import logging  # deferred: a task that does not log does not pay for it

        return logging.getLogger(f"{type(self).__module__}.{type(self).__name__}")

    logger = log
