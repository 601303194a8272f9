"""A sensor that waits for a file."""

import datetime as dt
import os
from collections.abc import Collection
from functools import cached_property
from typing import Any

from airlock.sdk.bases.sensor import BaseSensorOperator
from airlock.sdk.bases.trigger import StartTriggerArgs
from airlock.sdk.exceptions import AirlockException
from airlock.standard.deferral import deferrable_or_default
from airlock.standard.hooks.filesystem import FSHook
from airlock.standard.triggers.file import FileTrigger, is_there

_TRIGGER = "airflow.providers.standard.triggers.file.FileTrigger"


class FileSensor(BaseSensorOperator):
    """
    Waits until ``filepath`` is there: a file, a folder with a file in it, or a pattern (``**`` with ``recursive``). It
    is relative to the folder of the connection ``fs_conn_id``. ``deferrable`` waits in a trigger.
    """

    template_fields: Collection[str] = ("filepath", "fs_conn_id")
    ui_color = "#91818a"
    start_trigger_args = StartTriggerArgs(trigger_cls=_TRIGGER, trigger_kwargs={}, next_method="execute_complete")

    def __init__(
        self,
        *,
        filepath: str,
        fs_conn_id: str = "fs_default",
        recursive: bool = False,
        deferrable: bool | None = None,
        start_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Takes the arguments of every sensor, too."""
        super().__init__(**kwargs)
        del trigger_kwargs
        self.filepath = filepath
        self.fs_conn_id = fs_conn_id
        self.recursive = recursive
        self.deferrable = deferrable_or_default(deferrable)
        self.start_from_trigger = start_from_trigger
        if self.deferrable and start_from_trigger:
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=_TRIGGER,
                trigger_kwargs={
                    "filepath": self.path,
                    "recursive": self.recursive,
                    "poke_interval": self.poke_interval,
                },
                next_method="execute_complete",
                timeout=dt.timedelta(seconds=self.timeout),
            )

    @cached_property
    def path(self) -> str:
        """The whole path or pattern."""
        return os.path.join(FSHook(self.fs_conn_id).get_path(), self.filepath)

    def poke(self, context: Any) -> bool:
        """Tells whether the file is there."""
        del context
        self.log.info("Poking for file %s", self.path)
        return is_there(self.path, recursive=self.recursive)

    def execute(self, context: Any) -> None:
        """Waits, in a trigger where it is deferrable."""
        if not self.deferrable:
            super().execute(context)
        elif not self.poke(context):
            self.defer(
                timeout=dt.timedelta(seconds=self.timeout),
                trigger=FileTrigger(filepath=self.path, recursive=self.recursive, poke_interval=self.poke_interval),
                method_name="execute_complete",
            )

    def execute_complete(self, context: Any, event: bool | None = None) -> None:
        """Goes on when the trigger has fired. Raises AirlockException if the file is not there."""
        del context
        if not event:
            raise AirlockException(f"{self.task_id} task failed as {self.filepath} not found.")
        self.log.info("%s completed successfully as %s found.", self.task_id, self.filepath)
