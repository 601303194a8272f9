"""
Notices changes of files by the kernel's events.

The standard library has no such events, and watchfiles has them for every system, follows new folders by itself and
is one small compiled module. A file system of the network has no events, and a machine's watches can be used up. Then
the processor finds changes by its own search, a little later.
"""

import logging
import threading
from collections.abc import Callable, Collection
from typing import Self

from watchfiles import watch

_log = logging.getLogger("airlock.dag_processor")
# Its log has a line for each event, and for each look without one.
logging.getLogger("watchfiles").setLevel(logging.WARNING)
#: Milliseconds: how long events are gathered at most, and how long nothing more may come.
_GATHER_MS, _QUIET_MS = 200, 20
#: How often a watch looks whether it should end.
_LOOK_MS = 500


class Watch:
    """
    Watches folders in a thread of its own, and calls ``changed`` after something changed below one of them. Links are
    not followed: name the folders that they lead to. Use it in a ``with``.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._folders: frozenset[str] = frozenset()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._complained = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def on(self, folders: Collection[str]) -> None:
        """Watches these folders from here on. Call it again when they may have become others."""
        roots = outermost(folders)
        if roots == self._folders and self._thread is not None and self._thread.is_alive():
            return
        self._end()
        self._folders, self._stop = roots, threading.Event()
        self._thread = threading.Thread(target=self._run, args=(roots, self._stop), name="watch", daemon=True)
        self._thread.start()

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def _run(self, folders: frozenset[str], stop: threading.Event) -> None:
        try:
            changes = watch(
                *sorted(folders),
                watch_filter=_counts,
                debounce=_GATHER_MS,
                step=_QUIET_MS,
                rust_timeout=_LOOK_MS,
                stop_event=stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            )
            for _ in changes:
                self._changed()
        except (OSError, RuntimeError) as e:
            # The processor asks for the watch again and again, and one warning is enough.
            level = logging.DEBUG if self._complained else logging.WARNING
            self._complained = True
            _log.log(level, "no file events, changes are found by a search", extra={"why": str(e)})


def _counts(_: object, path: str) -> bool:
    """Tells whether a change may matter: what Python writes beside a module that it imported does not."""
    return "__pycache__" not in path


def outermost(folders: Collection[str]) -> frozenset[str]:
    """Returns the folders that are not inside another of them: a watch sees what is below. Pure."""
    outer: list[str] = []
    for folder in sorted(set(folders), key=lambda folder: folder.split("/")):
        if not outer or not folder.startswith(outer[-1].rstrip("/") + "/"):
            outer.append(folder)
    return frozenset(outer)
