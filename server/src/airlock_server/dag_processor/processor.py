"""
The DAG processor's loop: searches the bundles, has files parsed, stores what they say.

One thread decides and writes. Parses run in threads of a pool, each a launch of its own, and file events come from
watches; both only put a word into a queue. What is done when is decided in ``schedule``.
"""

import logging
import math
import os
import queue
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from airlock_server.dag_processor import schedule
from airlock_server.dag_processor.bundles import Bundle
from airlock_server.dag_processor.discovery.walk import Walker
from airlock_server.dag_processor.events import Watch
from airlock_server.dag_processor.records import Records
from airlock_server.dag_processor.schedule import FileKey, FileState, Policy
from airlock_server.dag_processor.sources.fetching import fetch
from airlock_server.dag_processor.sources.folders import CannotFetch
from airlock_server.dag_settings import CoreSettings
from airlock_server.launching.local.executor import CannotLaunch
from airlock_server.launching.local.parsing import FileResult
from airlock_server.settings import DagProcessorSettings
from airlock_server.store.engine.database import Engine
from airlock_wire.process import backoff

_log = logging.getLogger("airlock.dag_processor")

#: How often a processor says that it has its bundles.
_RENEW_SECONDS = 10.0
#: How often stale DAGs and ended bundles are looked for.
_CLEAN_SECONDS = 10.0
_PAUSE_FIRST_SECONDS, _PAUSE_LONGEST_SECONDS = 1.0, 60.0


class Parser(Protocol):
    """What has files parsed. Several threads may call it at a time."""

    def parse(self, bundle: Bundle, file: str) -> FileResult:
        """Parses a file; raises CannotLaunch."""

    def stop(self) -> None:
        """Ends the parses that are under way, and starts no other."""


class _Changed(msgspec.Struct, frozen=True):
    """Something changed in a bundle's folder."""

    bundle: str


class _Ended(msgspec.Struct, frozen=True):
    """A parse ended: with a result, or it could not be launched."""

    key: FileKey
    result: FileResult | CannotLaunch
    began: float
    version: str | None


class _Fetched(msgspec.Struct, frozen=True):
    """A bundle was fetched, with the folder and name of its version, or could not be."""

    bundle: str
    result: tuple[Path, str] | CannotFetch


class _Stop(msgspec.Struct, frozen=True):
    """The processor ends."""


class _Timer:
    """Says, once in so many seconds, that it is time again; the first time at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.next_at = 0.0

    def passed(self, moment: float) -> bool:
        if moment < self.next_at:
            return False
        self.next_at = moment + self.seconds
        return True


class Processor:
    """
    Runs until it is stopped, or until each file was parsed ``passes`` times. ``configured`` are the names of all
    bundles in the settings, which are active although this processor may serve only some of them.
    """

    def __init__(
        self,
        database: Engine,
        parser: Parser,
        bundles: Sequence[Bundle],
        *,
        core: CoreSettings,
        settings: DagProcessorSettings,
        configured: Sequence[str] = (),
        passes: int = 0,
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``environ`` is that of the git program, and says where logins for registries are."""
        self._environ = environ
        self._records = Records(database, core, settings)
        self._parser = parser
        self._bundles = {bundle.name: bundle for bundle in bundles}
        self._configured = tuple(configured) or tuple(self._bundles)
        self._settings = settings
        self._policy = Policy(
            min_interval=settings.min_file_process_interval,
            mode=settings.file_parsing_sort_mode,
            host=socket.getfqdn() if settings.file_parsing_sort_mode == "random_seeded_by_host" else "",
            passes=passes,
        )
        self._walkers = {
            bundle.name: Walker(
                root=bundle.path, syntax=core.dag_ignore_file_syntax, safe_mode=core.dag_discovery_safe_mode
            )
            for bundle in bundles
        }
        self._files: dict[FileKey, FileState] = {}
        #: Bundles whose folder could be listed the last time.
        self._readable: set[str] = set()
        self._problems: dict[str, list[str]] = {}
        self._running = 0
        self._stopping = False
        self._words: queue.SimpleQueue[_Changed | _Ended | _Fetched | _Stop] = queue.SimpleQueue()
        self._watches: dict[str, Watch] = {}
        #: Bundles that are fetched; where each has its versions is its first path.
        self._sources = {bundle.name: bundle for bundle in bundles if bundle.source is not None}
        self._refresh = {name: _Timer(settings.refresh_interval) for name in self._sources}
        #: Bundles that were not tried to be fetched yet.
        self._awaited = set(self._sources)
        self._search = {name: _Timer(settings.bundle_refresh_check_interval) for name in self._bundles}
        self._renew, self._clean = _Timer(_RENEW_SECONDS), _Timer(_CLEAN_SECONDS)

    def stop(self) -> None:
        """Ends the loop and the parses that are under way. Any thread may call it, and a signal handler."""
        self._stopping = True
        self._parser.stop()
        self._words.put(_Stop())

    def run(self) -> None:
        """Runs the loop."""
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self._settings.parsing_processes, "parse"))
            fetches = stack.enter_context(ThreadPoolExecutor(max(1, len(self._sources)), "fetch"))
            for name in self._bundles:
                self._watches[name] = stack.enter_context(Watch(partial(self._words.put, _Changed(name))))
                # Before the first search, so that no change falls between the two.
                if name not in self._sources:
                    self._watches[name].on([os.path.realpath(self._bundles[name].path)])
            while not self._stopping:
                self._look_after(time.time(), fetches)
                self._start(pool)
                if self._is_over():
                    return
                self._hear(self._pause(time.time()))

    # --- one turn of the loop ---

    def _hear(self, seconds: float) -> None:
        """Waits for a word at most so long, and acts on those that have come."""
        changed: set[str] = set()
        try:
            word: Any = self._words.get(timeout=max(0.0, seconds))
            while True:
                if isinstance(word, _Changed):
                    changed.add(word.bundle)
                elif isinstance(word, _Ended):
                    self._running -= 1
                    self._end(word)
                elif isinstance(word, _Fetched):
                    self._take(word)
                word = self._words.get_nowait()
        except queue.Empty:
            pass
        for bundle in sorted(changed):
            self._find(bundle)

    def _look_after(self, moment: float, fetches: ThreadPoolExecutor) -> None:
        """Does what is due by the clock."""
        if self._renew.passed(moment):
            self._records.renew(self._configured)
        for name, timer in self._refresh.items():
            if timer.passed(moment):
                # The next one comes after this one's end.
                timer.next_at = math.inf
                fetches.submit(self._fetch, name)
        for name, timer in self._search.items():
            if self._has_files(name) and timer.passed(moment):
                self._find(name)
        if self._clean.passed(moment):
            for name in sorted(self._readable):
                self._records.end_stale(name, self._files)
            self._records.end_bundles()

    def _start(self, pool: ThreadPoolExecutor) -> None:
        free = self._settings.parsing_processes - self._running
        if free <= 0 or self._stopping:
            return
        for key in schedule.due(self._startable(), time.time(), self._policy)[:free]:
            self._files[key] = schedule.began(self._files[key])
            self._running += 1
            pool.submit(self._parse, key, self._bundles[key.bundle])

    def _startable(self) -> dict[FileKey, FileState]:
        """Returns the files of bundles that can be read."""
        return {key: state for key, state in self._files.items() if key.bundle in self._readable}

    def _has_files(self, name: str) -> bool:
        """Tells whether a bundle has a folder of files: one that is fetched has none before its first version."""
        return name not in self._sources or self._bundles[name].version is not None

    def _parse(self, key: FileKey, bundle: Bundle) -> None:
        began = time.time()
        result: FileResult | CannotLaunch
        try:
            result = self._parser.parse(bundle, key.file)
        except CannotLaunch as e:
            result = e
        except Exception as e:  # noqa: BLE001 - the edge of a thread
            # A parse that nobody hears of would take its place in the pool for ever.
            _log.exception("a parse broke", extra={"bundle": key.bundle, "file": key.file})
            result = CannotLaunch(f"{type(e).__name__}: {e}")
        self._words.put(_Ended(key, result, began, bundle.version))

    def _pause(self, moment: float) -> float:
        """Returns the seconds until something is due by the clock."""
        searches = (timer for name, timer in self._search.items() if self._has_files(name))
        moments = [timer.next_at for timer in (self._renew, self._clean, *searches, *self._refresh.values())]
        file_due = schedule.next_moment(self._startable(), self._policy)
        if file_due is not None and self._running < self._settings.parsing_processes:
            moments.append(file_due)
        return min(moments) - moment

    def _is_over(self) -> bool:
        """Tells whether each file was parsed as often as it should be."""
        if not self._policy.passes or self._running or self._awaited:
            return False
        return all(schedule.over(state, self._policy) for state in self._files.values())

    # --- fetching bundles ---

    def _fetch(self, name: str) -> None:
        bundle = self._sources[name]
        result: tuple[Path, str] | CannotFetch
        try:
            assert bundle.source is not None  # noqa: S101 - it is in the table of those that have one
            result = fetch(bundle.source, bundle.path, self._environ)
        except CannotFetch as e:
            result = e
        except Exception as e:  # noqa: BLE001 - the edge of a thread
            _log.exception("a fetch broke", extra={"bundle": name})
            result = CannotFetch(f"{type(e).__name__}: {e}")
        self._words.put(_Fetched(name, result))

    def _take(self, word: _Fetched) -> None:
        """Goes on with a bundle's version; all its files are new then."""
        name = word.bundle
        self._awaited.discard(name)
        self._refresh[name].next_at = time.time() + self._settings.refresh_interval
        if isinstance(word.result, CannotFetch):
            self._complain(name, [f"it cannot be fetched: {word.result}"])
            if not self._has_files(name):
                # Without any version there is nothing to go on with, so it is tried again sooner.
                pause = backoff.scattered(_PAUSE_LONGEST_SECONDS)
                self._refresh[name].next_at = min(self._refresh[name].next_at, time.time() + pause)
            return
        path, version = word.result
        self._records.refreshed(name, version)
        if version != self._bundles[name].version:
            _log.info("a bundle has another version", extra={"bundle": name, "version": version})
            self._bundles[name] = msgspec.structs.replace(self._bundles[name], path=path, version=version)
            self._walkers[name].root = path
            self._find(name)

    # --- finding files ---

    def _find(self, name: str) -> None:
        walker = self._walkers[name]
        try:
            stamps = walker.find()
        except OSError as e:
            self._readable.discard(name)
            self._complain(
                name, [f"the folder {walker.root} cannot be listed, its DAGs stay as they are: {e.strerror}"]
            )
            return
        self._complain(name, walker.problems)
        self._readable.add(name)
        self._watches[name].on(walker.folders)
        self._files = schedule.listed(self._files, name, stamps)
        self._records.forget_all_but(name, stamps)

    def _complain(self, name: str, problems: list[str]) -> None:
        """Says what is wrong with a bundle's folder, once."""
        for problem in problems:
            if problem not in self._problems.get(name, []):
                _log.warning("a bundle has a problem", extra={"bundle": name, "why": problem})
        self._problems[name] = list(problems)

    # --- what a parse came to ---

    def _end(self, word: _Ended) -> None:
        key, result = word.key, word.result
        state = self._files.get(key)
        if state is None:
            # The file went while it was parsed, and what it was is forgotten already.
            return
        facts: dict[str, Any] = {"bundle": key.bundle, "file": key.file}
        if isinstance(result, CannotLaunch):
            self._fail(key, state, "a file could not be parsed", str(result))
            return
        if result.late:
            _log.warning("a file's parse took too long and was ended", extra=facts)
        elif not self._records.keep(key, result, datetime.fromtimestamp(word.began, UTC), word.version):
            self._fail(key, state, "what a file says could not be stored", "see above")
            return
        self._files[key] = schedule.finished(state, time.time())
        seconds = round(time.time() - word.began, 3)
        broken = bool(result.error) and not result.empty
        _log.log(
            logging.WARNING if broken else logging.DEBUG,
            "a file has an import error" if broken else "a file was parsed",
            extra={**facts, "dags": len(result.dags), "seconds": seconds, **({"why": result.error} if broken else {})},
        )

    def _fail(self, key: FileKey, state: FileState, what: str, why: str) -> None:
        pause = backoff.pause(state.failures + 1, _PAUSE_FIRST_SECONDS, _PAUSE_LONGEST_SECONDS)
        self._files[key] = schedule.failed(state, time.time(), pause)
        facts = {"bundle": key.bundle, "file": key.file, "why": why, "again_seconds": round(pause, 1)}
        _log.warning(what, extra=facts)
