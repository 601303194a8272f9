"""
Parse mode: imports one DAG file and answers with a DagFileParsingResult. A file that cannot be imported is a result
too, with the author's own line in ``import_errors``.
"""

import os
from typing import TYPE_CHECKING, Any

import msgspec

from airlock.sdk import DAG
from airlock.sdk.exceptions import LoadError, NotJson
from airlock_runner.json_values import plain
from airlock_runner.load import NO_DAG, load_dags
from airlock_wire.protocol.dags import SerializedDag, SerializedTask, enclose
from airlock_wire.protocol.messages import DagFileParseRequest, DagFileParsingResult

if TYPE_CHECKING:
    from airlock.sdk._assets import BaseAsset


def parse(request: DagFileParseRequest, root: str) -> DagFileParsingResult:
    """Returns what the file of the request holds. ``root`` is where its bundle is in this container."""
    file = _relative(request, root)
    try:
        dags = load_dags(root, file)
        if not dags:
            raise LoadError(f"{file}:1: NoDag: {NO_DAG}")
        serialized = [serialize(dag, file) for dag in dags.values()]
    except LoadError as e:
        return DagFileParsingResult(fileloc=request.file, serialized_dags=[], import_errors={file: str(e)})
    return DagFileParsingResult(
        fileloc=request.file, serialized_dags=[enclose(dag) for dag in serialized], import_errors=None
    )


def serialize(dag: DAG, file: str) -> SerializedDag:
    """Returns a DAG as plain data. Raises LoadError when its parameters are not JSON."""
    try:
        params = plain(dag.params, "params")
    except NotJson as e:
        raise LoadError(f"{file}:{dag.line}: NotJson: DAG {dag.dag_id!r}: {e}") from e
    tasks = [
        SerializedTask(
            task_id=task.task_id,
            retries=task.options.retries,
            retry_delay_seconds=task.options.retry_delay,
            execution_timeout_seconds=task.options.execution_timeout,
            line=task.line,
            inlets=_declarations(task.inlets, f"{file}:{task.line}: NotJson: task {task.task_id!r}: inlets"),
            outlets=_declarations(task.outlets, f"{file}:{task.line}: NotJson: task {task.task_id!r}: outlets"),
        )
        for task in dag.tasks.values()
    ]
    return SerializedDag(dag_id=dag.dag_id, tasks=tasks, tags=dag.tags, params=params)


def _declarations(assets: "tuple[BaseAsset, ...]", place: str) -> list[dict[str, Any]]:
    if not assets:
        return []
    from airlock.sdk._assets import declaration  # deferred: most tasks have none

    try:
        return [plain(msgspec.structs.asdict(declaration(each)), repr(each)) for each in assets]
    except NotJson as e:
        raise LoadError(f"{place}: {e}") from e


def _relative(request: DagFileParseRequest, root: str) -> str:
    """Returns the file's path in its bundle; the request may name the path that the file has for the server."""
    for base in (request.bundle_path, root):
        folder = os.path.normpath(base) + os.sep
        if request.file.startswith(folder):
            return request.file[len(folder) :]
    return request.file
