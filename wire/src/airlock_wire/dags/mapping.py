"""
How a task or a group is expanded into several: over what, so that the server can count. The values are the runner's.
"""

from typing import Literal

import msgspec


class _Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What tells the sources apart."""


class Literally(_Source, frozen=True, kw_only=True, tag="literal"):
    """A list or map that is written in the file. Only its length travels."""

    length: int


class XComSource(_Source, frozen=True, kw_only=True, tag="xcom"):
    """What a task pushes while it runs."""

    task_id: str
    key: str = "return_value"


class MapSource(_Source, frozen=True, kw_only=True, tag="map"):
    """Each element of a source, after a function of the author's: as long as the source."""

    source: "Source"


class ZipSource(_Source, frozen=True, kw_only=True, tag="zip"):
    """The elements of several sources side by side: as long as the shortest, or the longest."""

    sources: "list[Source]"
    longest: bool = False


class ConcatSource(_Source, frozen=True, kw_only=True, tag="concat"):
    """The elements of several sources one after the other: as long as all together."""

    sources: "list[Source]"


Source = Literally | XComSource | MapSource | ZipSource | ConcatSource


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of an expansion. For kind ``kwargs`` there is one, and its name is ``kwargs``."""

    name: str
    source: Source


class Expansion(msgspec.Struct, frozen=True, kw_only=True):
    """
    What ``expand`` and ``expand_kwargs`` got. For ``product`` every combination of the arguments is one task instance;
    the last argument varies fastest, so the arguments keep the author's order.
    """

    kind: Literal["product", "kwargs"] = "product"
    arguments: list[Argument]


def parts(source: Source) -> list[Literally | XComSource]:
    """Returns the lists and XComs that a source is made of, in the order in which they were written."""
    if isinstance(source, Literally | XComSource):
        return [source]
    if isinstance(source, MapSource):
        return parts(source.source)
    return [each for part in source.sources for each in parts(part)]


def xcoms(source: Source) -> list[XComSource]:
    """Returns the XComs that a source needs."""
    return [part for part in parts(source) if isinstance(part, XComSource)]


def literals(source: Source) -> list[Literally]:
    """Returns the lists of a source that are written in the file."""
    return [part for part in parts(source) if isinstance(part, Literally)]


def upstream_task_ids(expansion: Expansion) -> set[str]:
    """Returns the ids of the tasks whose values an expansion needs."""
    return {each.task_id for argument in expansion.arguments for each in xcoms(argument.source)}
