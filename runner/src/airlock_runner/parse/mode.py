"""
Parse mode: imports one DAG file and answers with a DagFileParsingResult. A file that cannot be imported is a result
too, with the author's own line in ``import_errors``.
"""

import os
import sys

from airlock.sdk.exceptions import LoadError
from airlock_runner import archive
from airlock_runner.load import NO_DAG, load_dags
from airlock_runner.parse.dag import serialize
from airlock_wire.protocol.dags import enclose
from airlock_wire.protocol.messages import DagFileParseRequest, DagFileParsingResult


def parse(request: DagFileParseRequest, root: str) -> DagFileParsingResult:
    """Returns what the file of the request holds. ``root`` is where its bundle is in this container."""
    file = _relative(request, root)
    # A file is parsed as it is now, and what is parsed again and again leaves nothing in its folder.
    sys.dont_write_bytecode = True
    try:
        dags = load_dags(root, file)
        if not dags:
            raise LoadError(f"{file}:1: NoDag: {NO_DAG}")
        serialized = [serialize(dag, file, _text(root, file, dag.fileloc)) for dag in dags.values()]
    except LoadError as e:
        return DagFileParsingResult(fileloc=request.file, serialized_dags=[], import_errors={file: str(e)})
    return DagFileParsingResult(
        fileloc=request.file, serialized_dags=[enclose(dag) for dag in serialized], import_errors=None
    )


def _relative(request: DagFileParseRequest, root: str) -> str:
    """Returns the file's path in its bundle; the request may name the path that the file has for the server."""
    for base in (request.bundle_path, root):
        folder = os.path.normpath(base) + os.sep
        if request.file.startswith(folder):
            return request.file[len(folder) :]
    return request.file


def _text(root: str, file: str, fileloc: str) -> str:
    """Returns the text of the file; for an archive that of the module in it that has the DAG."""
    path = os.path.normpath(os.path.join(root, file))
    if fileloc.startswith(path + os.sep):
        return archive.text_of(path, fileloc)
    with open(path, encoding="utf-8", errors="replace") as source:
        return source.read()
