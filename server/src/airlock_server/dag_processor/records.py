"""What the DAG processor stores. A store that is away is a warning here, and the processor tries again later."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from airlock_server.dag_processor.schedule import FileKey, FileState
from airlock_server.dag_settings import CoreSettings
from airlock_server.launching.local.parsing import FileResult
from airlock_server.rules.parsing import outdated
from airlock_server.settings import DagProcessorSettings
from airlock_server.store.engine.database import Engine
from airlock_server.store.engine.types import now
from airlock_server.store.errors import StoreError
from airlock_server.store.parsed import bundles, files
from airlock_server.store.parsed.files import Parse

_log = logging.getLogger("airlock.dag_processor")

#: After how long without a word of any processor a bundle is ended.
_ENDED_AFTER_SECONDS = 60.0


class Records:
    """The store, for one DAG processor."""

    def __init__(self, database: Engine, core: CoreSettings, settings: DagProcessorSettings) -> None:
        self._database = database
        self._core = core
        self._settings = settings

    def renew(self, names: Sequence[str]) -> None:
        """Says that a processor has these bundles among its settings."""
        self._write("bundles could not be renewed", lambda conn: bundles.renew(conn, names, now()))

    def refreshed(self, name: str, version: str) -> None:
        """Notes which version of a bundle its files have now."""
        moment = now()
        self._write("a version could not be noted", lambda conn: bundles.refreshed(conn, name, version, moment))

    def forget_all_but(self, name: str, present: Collection[str]) -> None:
        """Writes that files of a bundle are gone: those that the store has and that are not ``present``."""
        try:
            # A read costs nobody else, and mostly nothing is gone.
            gone = self._database.read(lambda conn: files.names(conn, name)) - set(present)
        except StoreError as e:
            _log.warning("files that are gone could not be looked for", extra={"bundle": name, "why": str(e)})
            return
        if gone and self._write("files could not be forgotten", lambda conn: files.remove(conn, name, gone)):
            _log.info("files are gone", extra={"bundle": name, "files": len(gone)})

    def end_stale(self, name: str, states: Mapping[FileKey, FileState]) -> None:
        """Marks a bundle's DAGs stale whose file was parsed without them for too long."""
        self._write("stale DAGs could not be marked", partial(self._mark_stale, name, states))

    def end_bundles(self) -> None:
        """Ends bundles that no processor has any more, with their DAGs."""
        self._write("bundles could not be ended", lambda conn: bundles.end(conn, now(), _ENDED_AFTER_SECONDS))

    def keep(self, key: FileKey, result: FileResult, moment: datetime, version: str | None) -> bool:
        """
        Stores what a parse came to; tells whether it could. ``moment`` is when the file was read: a later parse of
        another processor knows more.
        """
        parse = Parse(
            bundle_name=key.bundle,
            file=key.file,
            dags=result.dags,
            error="" if result.empty else result.error,
            bundle_version=version,
            paused=self._core.dags_are_paused_at_creation,
            varying=self._settings.dag_version_inflation_check_level,
        )
        return self._write("a parse could not be stored", partial(_store, parse, moment))

    def _mark_stale(self, name: str, states: Mapping[FileKey, FileState], conn: Any) -> None:
        stale = []
        for fact in files.parsed(conn, name):
            state = states.get(FileKey(name, fact.file))
            if state is None or state.finished_at is None:
                continue
            if outdated(fact.last_parsed_at.timestamp(), state.finished_at, self._settings.stale_dag_threshold):
                stale.append(fact.dag_id)
        files.end(conn, stale)

    def _write(self, what: str, work: Callable[[Any], Any]) -> bool:
        try:
            self._database.write(work)
        except StoreError as e:
            _log.warning(what, extra={"why": str(e)})
            return False
        return True


def _store(parse: Parse, moment: datetime, conn: Any) -> None:
    files.write(conn, parse, moment)
