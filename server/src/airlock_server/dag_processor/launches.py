"""Has files parsed by launches on this machine: an executor for each bundle, and a log for each file."""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from airlock_server.dag_processor.bundles import Bundle
from airlock_server.installation import Installation
from airlock_server.launching.local.executor import Executor
from airlock_server.launching.local.parsing import FileParse, FileResult
from airlock_server.launching.local.warm import Pool

#: The folder of the logs, in the home's ``logs``.
FOLDER = "dag_processor"
_LATEST = "latest"
#: Bytes of a name in a folder.
_MAX_NAME_BYTES = 255


class Launches:
    """Parses files of any bundle. ``show`` gets each line of their output."""

    def __init__(
        self,
        installation: Installation,
        environ: Mapping[str, str],
        show: Callable[[bytes], None],
        api_url: str = "",
    ) -> None:
        """``api_url`` is where files may look up variables and connections; empty: they may not."""
        self._api_url = api_url
        self._settings = installation.settings
        self._logs = installation.home.path / "logs" / FOLDER
        settings = installation.settings.dag_processor
        self._pool = Pool(settings.parsing_processes, environ, settings.parsing_memory_mib * 1024 * 1024)
        self._make = partial(Executor, installation, environ=environ, show=show, pool=self._pool)
        self._lock = threading.Lock()
        self._stopping = False
        #: The executor of each folder. Those of versions that are gone from the disk do no harm.
        self._executors: dict[tuple[str, Path], Executor] = {}

    def exposed(self, bundle: Bundle) -> str:
        """Returns what the parses of a bundle could reach, as a sentence; empty if nothing is exposed."""
        return self._executor(bundle).isolation.exposed

    def parse(self, bundle: Bundle, file: str) -> FileResult:
        """Parses a file; raises CannotLaunch."""
        date = datetime.now(UTC).strftime("%Y-%m-%d")
        point_to(self._logs, date)
        return self._executor(bundle).parse_file(
            FileParse(
                file=file,
                bundle=bundle.name,
                log_path=f"{FOLDER}/{log_path(date, bundle.name, file)}",
                import_seconds=self._settings.parse.timeout_seconds,
                launch_seconds=self._settings.dag_processor.dag_file_processor_timeout,
            )
        )

    def stop(self) -> None:
        """Ends the parses that are under way, and starts no other."""
        # Without the lock, because a signal handler calls this, in the thread that may hold it.
        self._stopping = True
        for executor in list(self._executors.values()):
            executor.stop()

    def _executor(self, bundle: Bundle) -> Executor:
        with self._lock:
            executor = self._executors.get((bundle.name, bundle.path))
            if executor is None:
                executor = self._executors[(bundle.name, bundle.path)] = self._make(root=bundle.path)
                executor.serve_at(self._api_url)
            if self._stopping:
                executor.stop()
            return executor

    def close(self) -> None:
        """Ends the warm parents. Call it when no parse is under way."""
        self._pool.close()


def log_path(date: str, bundle: str, file: str) -> str:
    """Returns where a file's output goes, below the folder of these logs. Pure."""
    *folders, name = file.split("/")
    # The end of a long name tells more files apart than its start.
    room = _MAX_NAME_BYTES - len(".log")
    return "/".join((date, bundle, *folders, name.encode()[-room:].decode(errors="ignore") + ".log"))


def point_to(logs: Path, date: str) -> None:
    """Lets the link ``latest`` lead to the logs of this day."""
    link = logs / _LATEST
    with suppress(OSError):
        if os.readlink(link) == date:
            return
    # Made beside it and moved over it: whoever follows the link finds one day or the other.
    with suppress(OSError):
        logs.mkdir(parents=True, exist_ok=True)
        fresh = logs / f".{_LATEST}-{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(date)
        fresh.replace(link)
