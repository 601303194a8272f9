"""Several sessions of tests have one cluster: beside each other, but for what takes away what all of them need."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class Place:
    """This session's place on the cluster. Whoever waits to be alone comes before those who ask later."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(tempfile.gettempdir())
        self._gate_file, self._place_file = folder / "airlock-cluster-tests.gate", folder / "airlock-cluster-tests.lock"
        self._place: IO[str] | None = None
        self._is_alone = False

    @contextmanager
    def taken(self, *, alone: bool) -> Iterator[None]:
        """Inside the block this session has a place beside others, or the whole cluster."""
        with self._place_file.open("w") as self._place:
            self._take(fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            self._is_alone = alone
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For a part of a place beside others: nobody else is there inside the block. Before it somebody may be."""
        assert self._place, "no place is taken yet"
        if self._is_alone:
            yield
            return
        # Who waits with a place would wait for ever for one that waits to be alone.
        fcntl.flock(self._place, fcntl.LOCK_UN)
        self._take(fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._place, fcntl.LOCK_SH)

    def _take(self, how: int) -> None:
        assert self._place, "no place is taken yet"
        # Whoever waits holds the gate, so that others wait behind. A lock goes with its session, and every test has an
        # end: so has this wait.
        with self._gate_file.open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(self._place, how)
