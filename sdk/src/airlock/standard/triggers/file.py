"""Triggers of files: one that appears, and one that is also deleted then."""

import contextlib
import os
from collections.abc import AsyncIterator, Hashable
from typing import Any, Final

from airlock.sdk.bases.trigger import BaseEventTrigger, BaseTrigger, TriggerEvent

_PATH: Final = "airflow.providers.standard.triggers.file"


class FileTrigger(BaseTrigger):
    """
    An event when a file is there, or a folder with a file in it.

    ``filepath`` may have ``*`` in it, and with ``recursive`` also ``**``. ``poke_interval`` is in seconds.
    """

    def __init__(
        self,
        filepath: str,
        recursive: bool = False,
        poke_interval: float = 5.0,
        **kwargs: Any,
    ) -> None:
        """Other arguments are ignored, as Airflow ignores them."""
        del kwargs
        super().__init__()
        self.filepath = filepath
        self.recursive = recursive
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns Airflow's path of the class, which its triggerer knows too, and the arguments."""
        fields = {"filepath": self.filepath, "recursive": self.recursive, "poke_interval": self.poke_interval}
        return f"{_PATH}.FileTrigger", fields

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields one event, True, when the file is there."""
        import asyncio  # deferred: a task that defers has no use for it

        while not await asyncio.to_thread(is_there, self.filepath, recursive=self.recursive):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent(True)  # noqa: FBT003 - the payload


def is_there(pattern: str, *, recursive: bool) -> bool:
    """Tells whether a file matches a pattern, or is somewhere in a folder that does."""
    from glob import glob  # deferred: a task that defers has no use for it

    return any(
        os.path.isfile(path) or any(files for _, _, files in os.walk(path))
        for path in glob(pattern, recursive=recursive)
    )


class FileDeleteTrigger(BaseEventTrigger):
    """An event when a file is there, which is then deleted. ``filepath`` is its path, and not a pattern."""

    def __init__(self, filepath: str, poke_interval: float = 5.0, **kwargs: Any) -> None:
        """``poke_interval`` is in seconds. Other arguments are ignored, as Airflow ignores them."""
        del kwargs
        super().__init__()
        self.filepath = filepath
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns Airflow's path of the class, which its triggerer knows too, and the arguments."""
        return f"{_PATH}.FileDeleteTrigger", {"filepath": self.filepath, "poke_interval": self.poke_interval}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields one event, True, after the file was there and was deleted."""
        import asyncio  # deferred: a task that defers has no use for it

        while not await asyncio.to_thread(delete, self.filepath):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent(True)  # noqa: FBT003 - the payload


def delete(path: str) -> bool:
    """Deletes a file, and tells whether it was there. Of two that delete at once, one is told so."""
    if not os.path.isfile(path):
        return False
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


class DirectoryFileDeleteTrigger(BaseEventTrigger):
    """
    An event when a file is in a folder, which is then deleted. Triggers of one folder share one listing of it.

    The payload is ``{"filepath": path}``.
    """

    def __init__(self, *, directory: str, filename: str, poke_interval: float = 5.0) -> None:
        """``poke_interval`` is in seconds."""
        super().__init__()
        self.directory = directory
        self.filename = filename
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns Airflow's path of the class, which its triggerer knows too, and the arguments."""
        fields = {"directory": self.directory, "filename": self.filename, "poke_interval": self.poke_interval}
        return f"{_PATH}.DirectoryFileDeleteTrigger", fields

    def shared_stream_key(self) -> Hashable | None:
        """Returns the folder, however it is spelt, and the interval."""
        return ("directory-scan", os.path.realpath(self.directory), self.poke_interval)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Any]:
        """
        Yields the names in the folder, again and again; none while it is absent.

        Raises an OSError that will not pass by itself: no right to read, or a path that is not a folder.
        """
        import asyncio  # deferred: a task that defers has no use for it

        while True:
            try:
                yield {"directory": kwargs["directory"], "names": await asyncio.to_thread(_names, kwargs["directory"])}
            except (PermissionError, NotADirectoryError):
                raise
            except OSError as error:
                import logging  # deferred: as above

                logging.getLogger(__name__).warning("cannot list %s for now: %s", kwargs["directory"], error)
            await asyncio.sleep(kwargs["poke_interval"])

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Yields one event after the file was listed and was deleted."""
        import asyncio  # deferred: a task that defers has no use for it

        async for listing in shared_stream:
            path = os.path.join(listing["directory"], self.filename)
            if self.filename in listing["names"] and await asyncio.to_thread(delete, path):
                yield TriggerEvent({"filepath": path})
                return

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields the event by a listing of its own, where nothing shares one."""
        listings = type(self).open_shared_stream(self.serialize()[1])
        async for event in self.filter_shared_stream(listings):
            yield event


def _names(directory: str) -> set[str]:
    with contextlib.suppress(FileNotFoundError):
        return set(os.listdir(directory))
    return set()
