"""The parse of one DAG file: what the launch is given, and what its end means. Pure."""

from pathlib import Path

import msgspec

from airlock_wire import ids, workload
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.protocol import dags
from airlock_wire.protocol.messages import DagFileParseRequest, DagFileParsingResult
from airlock_wire.record import Reason, Record


class CannotParse(Exception):
    """The file could not be parsed. The text has a line for each cause, with file, line and fix."""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a DAG file."""

    dags: list[SerializedDag]


class FileParse(msgspec.Struct, frozen=True, kw_only=True):
    """
    A parse to launch. The file is relative to the bundle; ``bundle`` is its name. Without ``launch_seconds`` the whole
    launch may take as long as it does.
    """

    file: str
    bundle: str
    log_path: str
    import_seconds: float
    launch_seconds: float | None = None

    def work(self, root: Path) -> workload.Parse:
        """Returns what the sidecar is given."""
        request = DagFileParseRequest(file=str(root / self.file), bundle_path=str(root), bundle_name=self.bundle)
        return workload.Parse(request=request, log_path=self.log_path, timeout_seconds=self.import_seconds)


class FileResult(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a file's parse came to. ``error`` is its import error. ``late``: the launch took longer than it may, and
    nothing is known of the file. ``empty``: the file can be imported and has no DAG, and ``error`` says so.
    """

    dags: list[SerializedDag] = []
    error: str = ""
    late: bool = False
    empty: bool = False


def result_of(parse: FileParse, root: Path, record: Record | None, data: bytes | None, *, late: bool) -> FileResult:
    """Returns what a launch came to. ``data`` is what the runner answered, None if it did not; user code wrote it."""
    path = root / parse.file
    if data is None:
        return FileResult(late=late, error=_without_answer(path, record, parse.import_seconds))
    try:
        answer = msgspec.json.decode(data, type=DagFileParsingResult)
        if answer.import_errors:
            error = "\n".join(answer.import_errors.values())
            return FileResult(error=error, empty=error.startswith(f"{parse.file}:1: NoDag: "))
        return FileResult(dags=[dags.disclose(envelope) for envelope in answer.serialized_dags])
    except (msgspec.MsgspecError, RecursionError) as e:
        # The SDK checks the same when the DAG is made, so this file did not use it.
        return FileResult(error=f"{path}:1: InvalidDag: {e}")


def log_name(file: str) -> str:
    """
    Returns a file's name as one part of a path: characters that an id may not have become ``_``; a long name is cut.
    """
    plain = "".join(c if ids.problem(c) == "" else "_" for c in Path(file).stem)
    return plain.encode()[: ids.MAX_ID_BYTES].decode(errors="ignore")


def _without_answer(path: Path, record: Record | None, seconds: float) -> str:
    if record is not None and record.reason is Reason.TIMED_OUT:
        return (
            f"{path}:1: ImportTimeout: importing it took longer than {seconds:g} s and was stopped; move slow work "
            "from the top of the file into a task, or set AIRLOCK__PARSE__TIMEOUT_SECONDS"
        )
    how = f": {record.message}" if record is not None and record.message else ""
    return f"{path}:1: ImportCrashed: the process that imported it ended without a result{how}; see its output above"
