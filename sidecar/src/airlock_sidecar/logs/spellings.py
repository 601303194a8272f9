"""
Finds the spellings of a secret: escaped by ``repr``, by JSON, for a URL, for HTML, for a shell, as bytes, and one
inside another to any depth. Pure.

A short secret becomes one regular expression, a piece for each character. Each run of backslashes is matched from its
first one, and by one piece alone. So no text makes the search slower than a pass or two over it.
"""

import json
import re
from urllib.parse import quote, quote_plus

#: If a secret's expression is longer, a fixed number of its spellings is searched for instead.
MAX_PATTERN_CHARS = 4096

_ENTITIES = {'"': "quot|#34|#x22", "'": "#39|#x27|apos", "&": "amp", "<": "lt", ">": "gt"}
_LETTERS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


def pattern(secret: str) -> str:
    """Returns the expression that matches every spelling of a secret; empty where it would be too long."""
    pieces: list[str] = []
    at, size = 0, 0
    after_run = False
    while at < len(secret) and size <= MAX_PATTERN_CHARS:
        if secret[at] == "\\":
            run = len(secret) - at - len(secret[at:].lstrip("\\"))
            # If a run comes first, it matches only at the run's beginning: else every place in a long run is tried.
            start = "" if pieces else r"(?<!\\)"
            pieces.append(rf"{start}(?:\\{{{run},}}|(?:%(?:25)*5[cC]){{{run}}})")
            at += run
            after_run = True
        else:
            pieces.append(_char(secret[at], first=not pieces, after_run=after_run))
            at += 1
            after_run = False
        size += len(pieces[-1])
    return "" if size > MAX_PATTERN_CHARS else "".join(pieces)


def _char(char: str, *, first: bool, after_run: bool) -> str:
    """Returns the spellings of one character. ``after_run``: the piece before has taken its backslashes already."""
    if char.isascii() and (char.isalnum() or char in "_~"):
        return char
    escape = "" if after_run else r"(?<!\\)\\+" if first else r"\\+"
    code = ord(char)
    spelt = [
        re.escape(char) if first or after_run or not char.isprintable() or char == " " else rf"\\*{re.escape(char)}"
    ]
    if char in _LETTERS:
        spelt.append(f"{escape}{_LETTERS[char]}")
    if code < 0x100:
        spelt.append(f"{escape}x{_hex(f'{code:02x}')}")
    units = char.encode("utf-16-be", "surrogatepass").hex()
    # The escape of a pair's second half does not come first in the secret, and not after its backslashes.
    halves = [_hex(units[place : place + 4]) for place in range(0, len(units), 4)]
    spelt.append(escape + "u" + r"\\+u".join(halves))
    if code >= 0x10000:
        spelt.append(f"{escape}U{_hex(f'{code:08x}')}")
    data = char.encode("utf-8", "surrogatepass")
    spelt.append("".join(f"%(?:25)*{_hex(f'{byte:02x}')}" for byte in data))
    if not char.isascii():
        spelt.append(escape + "x" + r"\\+x".join(_hex(f"{byte:02x}") for byte in data))
    if char == " ":
        spelt.append(r"\+")
    if char == "'":
        spelt.append(r"""'\\*"\\*'\\*"\\*'""")
    if char in _ENTITIES:
        spelt.append(f"&(?:{_ENTITIES[char]});")
    return f"(?:{'|'.join(reversed(spelt))})"


def _hex(digits: str) -> str:
    """Hexadecimal digits in either case."""
    return "".join(digit if digit.isdecimal() else f"[{digit}{digit.upper()}]" for digit in digits)


def whole(secret: str) -> set[str]:
    """Spellings of a secret as a whole, to be looked for as they are."""
    data = secret.encode("utf-8", "surrogatepass")
    # Imported here, because most launches have no secret, and each import is a part of every launch's start.
    import base64

    return {base64.b64encode(data).decode().rstrip("="), base64.urlsafe_b64encode(data).decode().rstrip("=")}


def forms(secret: str) -> set[str]:
    """Returns the usual spellings of a secret that is too long for an expression, up to one inside another."""
    spellings = {secret}
    for _ in range(2):
        spellings |= {
            form for each in spellings for form in (repr(each)[1:-1], _json(each), _json(each, ascii_only=False))
        }
    return spellings | {quote(secret), quote(secret, safe=""), quote_plus(secret)}


def longest(secret: str) -> int:
    """Characters of the longest spelling that has to be found in one piece."""
    return len(_json(_json(secret)))


def _json(text: str, *, ascii_only: bool = True) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]
