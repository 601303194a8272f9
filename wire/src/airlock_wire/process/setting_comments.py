"""Reads the ``#:`` comment above each setting from the source of its struct: for generated pages and files."""

import inspect
import re


def comments(kind: type) -> dict[str, str]:
    """Returns the comment above each field of a struct, on one line, by the field's name."""
    texts: dict[str, str] = {}
    above: list[str] = []
    for line in inspect.getsource(kind).splitlines():
        if match := re.match(r"\s+#: ?(.*)", line):
            above.append(match[1])
        elif match := re.match(r"    (\w+):", line):
            texts[match[1]] = " ".join(above)
            above = []
        else:
            above = []
    return texts
