"""
The patterns of access lists, in a TaskRun and in a grant: one language for both. Pure.

``*`` stands for any characters, ``?`` for one. Nothing else is special, and case counts.
"""

import re
from functools import lru_cache


def matches(pattern: str, name: str) -> bool:
    """Tells whether a name is what a pattern says. It takes time in proportion to the name's length for each ``*``."""
    return pattern == name or (("*" in pattern or "?" in pattern) and _expression(pattern).fullmatch(name) is not None)


def covers_all_of(pattern: str, prefix: str) -> bool:
    """Tells whether a pattern allows every name that begins with a prefix."""
    return pattern.endswith("*") and pattern.count("*") == 1 and prefix.startswith(pattern[:-1])


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    first, *middle = map(_piece, pattern.split("*"))
    if not middle:
        return re.compile(first, re.DOTALL)
    *between, last = middle
    # Atomic: the first place where a piece fits is as good as any later one, so that no name makes this go back.
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in between) + ".*" + last, re.DOTALL)


def _piece(text: str) -> str:
    return "".join("." if char == "?" else re.escape(char) for char in text)
