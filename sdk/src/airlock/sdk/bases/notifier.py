"""Notifiers: callbacks with templates, which tell people what became of a task or DAG run."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from airlock.sdk.definitions.template import Templater

if TYPE_CHECKING:
    from logging import Logger

    import jinja2


class BaseNotifier(Templater):
    """A callback: override ``notify(context)``, or ``async_notify(context)`` for ``await notifier``."""

    template_fields: Sequence[str] = ()
    template_ext: Sequence[str] = ()

    def __init__(self, context: Any = None) -> None:
        """``context`` is that of ``await notifier``, which gets no argument."""
        self.context: Any = context or {}
        self.resolve_template_files()

    @property
    def log(self) -> "Logger":
        """Its logger."""
        import logging  # deferred: a task that does not log does not pay for it

        return logging.getLogger(f"airlock.task.notifier.{type(self).__module__}.{type(self).__name__}")

    def render_template_fields(self, context: Any, jinja_env: "jinja2.Environment | None" = None) -> None:
        """Renders the fields in place, in the environment of the context's DAG."""
        super().render_template_fields(context, jinja_env or self.get_template_env(dag=context.get("dag")))

    def notify(self, context: Any) -> None:
        """Tells people. A subclass overrides it."""
        raise NotImplementedError

    async def async_notify(self, context: Any) -> None:
        """Tells people, in an event loop. A subclass overrides it."""
        raise NotImplementedError

    def _with_fields(self, context: Any) -> Any:
        context.update({field: getattr(self, field) for field in self.template_fields})
        return context

    def __call__(self, *args: Any) -> None:
        """Renders the fields and tells people."""
        context = args[0]
        self.render_template_fields(self._with_fields(context))
        try:
            self.notify(context)
        except Exception:
            self.log.exception("Failed to send notification (sync):")
            raise

    def __await__(self) -> Generator[Any, Any, None]:
        """Renders the fields and tells people, in an event loop."""
        self.render_template_fields(self._with_fields(self.context))
        return self.async_notify(self.context).__await__()
