"""Reads the repository's own documents: their links, their headings and their blocks of code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reference.sources import ROOT

#: Everything that a reader finds from README: the pages at the root, and those below docs.
DOCUMENTS = tuple(sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")))

_FENCE = re.compile(r"^( *)(```+)(.*)$")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_CODE = re.compile(r"`[^`]*`")


class Block(NamedTuple):
    """A fenced block of code, with the comment (``<!-- ... -->``) that stands directly above it."""

    document: str
    line: int
    language: str
    marker: str
    text: str


class Link(NamedTuple):
    """A link to a file of the repository or to a heading; both parts may be empty."""

    line: int
    file: str
    anchor: str


def blocks(document: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a document, in order."""
    name = str(document.relative_to(ROOT))
    above, inside, indent = "", None, 0
    text: list[str] = []
    for number, line in enumerate(document.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and inside is None:
            inside, indent, text = (number, fence[3].strip(), above), len(fence[1]), []
        elif fence and inside is not None:
            begin, language, comment = inside
            marker = re.fullmatch(r"\s*<!-- (.*) -->", comment)
            yield Block(name, begin, language, marker[1] if marker else "", "".join(f"{each}\n" for each in text))
            inside = None
        elif inside is not None:
            text.append(line[indent:])
        above = line


def links(document: Path) -> Iterator[Link]:
    """Yield the links that lead to a file or heading of the repository."""
    for number, line in _prose(document):
        for target in _LINK.findall(_CODE.sub("code", line)):
            if not re.match(r"[a-z]+:", target):
                file, _, anchor = target.partition("#")
                yield Link(number, file, anchor)


def anchors(document: Path) -> set[str]:
    """List what a link to a heading of the document may name after the ``#``, by GitHub's rule."""
    slugs: set[str] = set()
    for _, line in _prose(document):
        if heading := re.match(r"#+ (.*)", line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).strip().lower()
            slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            count = sum(bool(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", each)) for each in slugs)
            slugs.add(f"{slug}-{count}" if count else slug)
    return slugs


def _prose(document: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines outside of blocks of code, with their numbers."""
    inside = False
    for number, line in enumerate(document.read_text().splitlines(), 1):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, line
