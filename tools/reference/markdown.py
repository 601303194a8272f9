"""Writes pieces of Markdown: tables, cells and values."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table. A cell's line breaks become spaces, and its bars are escaped."""
    lines = [_line(head), "|" + "---|" * len(head), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Write a text as code; nothing for an empty text."""
    return f"`{text}`" if text else ""


def value(default: Any) -> str:
    """Write a default as code: a text as it is, another value as JSON, and *empty* for what is empty."""
    if default in ("", [], {}):
        return "*empty*"
    return code(default if isinstance(default, str) else json.dumps(default, ensure_ascii=False))


def prose(text: str) -> str:
    """
    Write a comment as Markdown on one line.

    The double backticks of reStructuredText become single ones, and outside of them nothing is markup.
    """
    parts = " ".join(text.replace("``", "`").split()).split("`")
    return "`".join(part if odd % 2 else re.sub(r"([*<])", r"\\\1", part) for odd, part in enumerate(parts))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
