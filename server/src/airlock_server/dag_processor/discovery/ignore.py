"""
Reads ``.airflowignore`` files as Airflow does: patterns of git (``glob``, the default) or regular expressions. Pure.

A ``#`` begins a comment, also in the middle of a line, as in Airflow.
"""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

Syntax = Literal["glob", "regexp"]

_COMMENT = re.compile(r"\s*#.*")
#: A class of characters in a glob: its inside may begin with ``]``.
_CLASS = re.compile(r"\[([!^]?)(\]?[^\]]*)\]")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """
    One line. ``folder`` is where its file is, relative to the bundle, empty for the root. A rule that is not
    ``anchored`` looks at the name alone. ``ignores`` is false for a line that begins with ``!``.
    """

    pattern: re.Pattern[str]
    folder: str
    anchored: bool
    only_folders: bool = False
    ignores: bool = True
    searches: bool = False


def read(text: str, folder: str, syntax: Syntax) -> tuple[list[Rule], list[str]]:
    """Returns a file's rules, and a sentence for each line that is not a pattern."""
    rules, problems = [], []
    for line in text.splitlines():
        pattern = _COMMENT.sub("", line)
        if not pattern.strip():
            continue
        try:
            rule = _glob_rule(pattern, folder) if syntax == "glob" else _regexp_rule(pattern)
        except re.error as e:
            problems.append(f"{pattern!r} is not a pattern and is passed over: {e}")
            continue
        if rule is not None:
            rules.append(rule)
    return rules, problems


def ignored(path: str, rules: Iterable[Rule], *, is_folder: bool) -> bool:
    """
    Tells whether the rules leave out ``path``, which is relative to the bundle. Of those that match, the last decides.
    """
    verdict = False
    for rule in rules:
        if rule.only_folders and not is_folder:
            continue
        if rule.searches:
            if rule.pattern.search(path):
                return True
            continue
        subject = path.rpartition("/")[2]
        if rule.anchored:
            subject = path[len(rule.folder) + 1 :] if rule.folder else path
        if rule.pattern.fullmatch(subject):
            verdict = rule.ignores
    return verdict


def _regexp_rule(pattern: str) -> Rule:
    return Rule(pattern=re.compile(pattern), folder="", anchored=True, searches=True)


def _glob_rule(line: str, folder: str) -> Rule | None:
    glob = _without_trailing_spaces(line)
    ignores = not glob.startswith("!")
    glob = glob.removeprefix("!")
    only_folders = glob.endswith("/")
    glob = glob.rstrip("/") if only_folders else glob
    anchored = "/" in glob
    glob = glob.removeprefix("/")
    if not glob:
        # A single slash matches nothing, as in git.
        return None
    # A line that brings a folder back also brings back what is below it, as in Airflow. In git it does not.
    below = "(?:/.*)?" if anchored else ""
    return Rule(
        pattern=re.compile(_translated(glob) + below, re.DOTALL),
        folder=folder,
        anchored=anchored,
        only_folders=only_folders,
        ignores=ignores,
    )


def _without_trailing_spaces(line: str) -> str:
    """Returns a line without the spaces at its end; one after a backslash stays."""
    stripped = line.rstrip()
    return (
        stripped + " " if stripped.endswith("\\") and not stripped.endswith("\\\\") and stripped != line else stripped
    )


def _translated(glob: str) -> str:
    """Returns the regular expression of a glob without its slash at the start and end."""
    parts = glob.split("/")
    out = ""
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if part == "**":
            # Any number of folders; at the end: everything inside.
            out += ".+" if last else "(?:[^/]+/)*"
        else:
            out += _segment(part) + ("" if last else "/")
    return out


def _segment(text: str) -> str:
    """Returns the regular expression of a part between slashes."""
    out, position = "", 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "\\" and position < len(text):
            out += re.escape(text[position])
            position += 1
        elif char == "[" and (match := _CLASS.match(text, position - 1)):
            inside = match[2].replace("\\", "\\\\").replace("[", "\\[")
            out += f"[{'^' if match[1] else ''}{'' if not inside.startswith(']') else chr(92)}{inside}]"
            position = match.end()
        else:
            out += re.escape(char)
    return out
