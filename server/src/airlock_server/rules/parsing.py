"""
Decides what a parsed file means for the DAGs that are known: which it may write, which it has lost, and whether a DAG
gets a new version. Pure.
"""

from collections.abc import Iterable, Mapping
from enum import Enum

import msgspec

#: The bundle of files that are run by path on a machine. Its claims give way to a bundle of a DAG processor.
BY_PATH = "local"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """
    A DAG that is in the store. ``bundle`` is None if no bundle owns it, ``file`` if no DAG processor has parsed it.
    """

    dag_id: str
    bundle: str | None
    file: str | None = None
    stale: bool = False


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """
    What to write: ``taken`` are the DAGs that the file has now, and ``refused`` says why it may not have others.
    ``lost`` are DAGs that it does not name any more, and ``broken`` those of a file that fails.
    """

    taken: list[str] = []
    refused: dict[str, str] = {}
    lost: list[str] = []
    broken: list[str] = []


def settle(bundle: str, file: str, listed: Iterable[str], known: Mapping[str, Known], *, fails: bool) -> Settlement:
    """
    Returns what a parse means. ``known`` are the DAGs of this file, and those that it lists; ``fails``: the file has an
    import error, and then all its DAGs are broken.
    """
    own = sorted(dag.dag_id for dag in known.values() if dag.bundle == bundle and dag.file == file)
    if fails:
        return Settlement(broken=own)
    listed = list(listed)
    reasons = {dag_id: _refusal(bundle, file, known.get(dag_id)) for dag_id in listed}
    return Settlement(
        taken=[dag_id for dag_id in listed if not reasons[dag_id]],
        refused={dag_id: why for dag_id, why in reasons.items() if why},
        lost=[dag_id for dag_id in own if dag_id not in reasons],
    )


def _refusal(bundle: str, file: str, dag: Known | None) -> str:
    """Returns why the file may not have the DAG; empty if it may."""
    if dag is None:
        return ""
    if dag.bundle is None:
        return f"DAG {dag.dag_id!r} belongs to TaskRuns that were made by hand; give this one another dag_id"
    if dag.bundle != bundle:
        if dag.bundle == BY_PATH and dag.file is None:
            return ""
        return f"DAG {dag.dag_id!r} belongs to bundle {dag.bundle!r}, which had it first; give this one another dag_id"
    if dag.file in (file, None) or dag.stale:
        return ""
    return f"DAG {dag.dag_id!r} is also defined in {dag.file}, which had it first; give one of them another dag_id"


class Step(Enum):
    """What a parse does to a DAG's versions."""

    #: The latest version stays; only its text and places are brought up to date.
    SAME = "same"
    #: The latest version is written anew: nothing has run with it.
    REPLACE = "replace"
    #: There is one version more.
    ADD = "add"


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG's latest version; ``used`` if it has task instances."""

    content_hash: str
    source: str
    used: bool


def version_step(latest: Latest | None, content_hash: str) -> Step:
    """Returns what to do with a definition of this hash."""
    if latest is None:
        return Step.ADD
    if latest.content_hash == content_hash:
        return Step.SAME
    return Step.ADD if latest.used else Step.REPLACE


def varies(latest: Latest | None, content_hash: str, source: str) -> bool:
    """
    Tells whether a definition changed although its file did not. Such a DAG could get a version at each parse.
    """
    return latest is not None and latest.source == source and latest.content_hash != content_hash


def outdated(last_parsed: float, last_finish: float, threshold_seconds: float) -> bool:
    """
    Tells whether a DAG is stale because its file was parsed without it. All are seconds since the epoch:
    ``last_finish`` is when the file's last parse ended, whatever came of it.
    """
    return last_parsed + threshold_seconds < last_finish
