"""
Warm parents of the parses of one machine. The sidecars have one, which is trusted. The runners of a bundle have a few.

A parent of runners has a user of its own, where a launch would have one, and one child at a time. So no parse reaches
another's processes. A parent whose child left anything behind is not used again.
"""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import msgspec

from airlock_server.launching.local import users
from airlock_server.launching.local.forks import WarmParent
from airlock_server.launching.local.users import Lease

_RUNNER = ("-P", "-m", "airlock_runner.warm")
_SIDECAR = (sys.executable, "-I", "-m", "airlock_sidecar.warm")


class Runner(msgspec.Struct):
    """A warm parent of a bundle's runners, its lease of a user, and whether it is as it was before its last child."""

    bundle: str
    parent: WarmParent
    lease: Lease | None
    clean: bool = True

    def close(self) -> None:
        """Ends it, with every process of its user if that is its own."""
        self.parent.close()
        if self.lease is not None:
            users.sweep(self.lease.uid)
            self.lease.give_back()


class Warm(msgspec.Struct, frozen=True):
    """What one launch is forked from."""

    sidecars: WarmParent
    runner: Runner
    memory_bytes: int


class Pool:
    """Warm parents, of which at most ``size`` are idle. Several threads may use it."""

    def __init__(self, size: int, environ: Mapping[str, str], memory_bytes: int) -> None:
        """``environ`` is that of the sidecars."""
        self._size = size
        self._environ = {name: environ[name] for name in ("PATH", "LANG", "TZ") if name in environ}
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._idle: list[Runner] = []
        self._sidecars: WarmParent | None = None

    @contextmanager
    def take(self, bundle: str, python: str, environ: Mapping[str, str], uids: Sequence[int]) -> Iterator[Warm]:
        """
        Lends a warm parent of a bundle for one launch. ``uids`` are the users that it may have, as in
        ``isolation.Isolation``. Raises OSError or NoUserLeft.
        """
        runner = self._runner(bundle, python, environ, uids)
        try:
            yield Warm(self._sidecar_parent(), runner, self._memory_bytes)
        except BaseException:
            runner.clean = False
            raise
        finally:
            self._give_back(runner)

    def close(self) -> None:
        """Ends the idle ones; one that is lent is ended when it comes back."""
        with self._lock:
            self._size = 0
            closing: list[Runner | WarmParent] = [*self._idle]
            self._idle.clear()
            if self._sidecars is not None:
                closing.append(self._sidecars)
                self._sidecars = None
        for each in closing:
            each.close()

    def _runner(self, bundle: str, python: str, environ: Mapping[str, str], uids: Sequence[int]) -> Runner:
        with self._lock:
            for each in self._idle:
                if each.bundle == bundle:
                    self._idle.remove(each)
                    break
            else:
                each = None
        if each is not None and each.parent.alive:
            return each
        if each is not None:
            each.close()
        lease = users.lease(uids) if len(uids) > 1 else None
        uid = lease.uid if lease is not None else uids[0] if uids else None
        try:
            parent = WarmParent([python, *_RUNNER], environ, uid)
        except OSError:
            if lease is not None:
                lease.give_back()
            raise
        return Runner(bundle, parent, lease)

    def _sidecar_parent(self) -> WarmParent:
        with self._lock:
            if self._sidecars is None or not self._sidecars.alive:
                if self._sidecars is not None:
                    self._sidecars.close()
                self._sidecars = WarmParent(_SIDECAR, self._environ)
            return self._sidecars

    def _give_back(self, runner: Runner) -> None:
        surplus: Runner | None = runner
        if runner.clean and runner.parent.alive:
            with self._lock:
                self._idle.append(runner)
                # The one that was idle for longest is of the bundle that needs it least.
                surplus = self._idle.pop(0) if len(self._idle) > self._size else None
        if surplus is not None:
            with suppress(OSError):
                surplus.close()
