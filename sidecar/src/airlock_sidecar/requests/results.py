"""
Keeps the one result of a launch that reports no state: what a file holds, how a trigger ended, what a timetable
answered, what became of callbacks.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from airlock_sidecar import errors
from airlock_sidecar.requests.bulk import as_json
from airlock_sidecar.state.launch import Launch
from airlock_wire.protocol.callbacks import CallbackResult
from airlock_wire.protocol.messages import DagFileParsingResult
from airlock_wire.protocol.timetables import TimetableResult
from airlock_wire.protocol.triggers import TriggerResult


class Results:
    """Takes a result once; ``keep`` writes it down. Texts that people see are masked."""

    def __init__(self, launch: Launch, keep: Callable[[bytes], None]) -> None:
        self._launch = launch
        self._write = keep

    def parsing(self, result: DagFileParsingResult) -> None:
        """Keeps what a file holds, with its errors masked."""
        mask = self._launch.masker.mask
        shown = {mask(file): mask(text) for file, text in (result.import_errors or {}).items()}
        self._keep(msgspec.structs.replace(result, import_errors=shown or None))

    def trigger(self, result: TriggerResult) -> None:
        """Keeps how a trigger ended, with its traceback masked."""
        mask = self._launch.masker.mask
        self._keep(msgspec.structs.replace(result, traceback=[mask(line) for line in result.traceback or ()]))

    def timetable(self, result: TimetableResult) -> None:
        """Keeps what a timetable answered, with its errors masked."""
        mask, replace = self._launch.masker.mask, msgspec.structs.replace
        self._keep(replace(result, answers=[replace(each, error=mask(each.error)) for each in result.answers]))

    def callback(self, result: CallbackResult) -> None:
        """Keeps what became of callbacks, with their errors masked."""
        mask = self._launch.masker.mask
        self._keep(msgspec.structs.replace(result, errors=list(map(mask, result.errors))))

    def _keep(self, result: Any) -> None:
        if self._launch.memory.parsed:
            raise errors.NotAllowed("second terminal message", f"a second {type(result).__name__} is refused")
        self._write(as_json(result))
        with self._launch.remembering() as memory:
            memory.parsed = True
