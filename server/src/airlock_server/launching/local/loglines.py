"""
Formats a task's log lines for a terminal. Pure.

User code wrote the lines: a field may have any type, and a character may move the cursor or reverse the text.
"""

import unicodedata

import msgspec

_KNOWN = {
    "timestamp", "level", "event", "logger", "filename", "lineno", "error_detail",
    "ti_id", "dag_id", "task_id", "run_id", "try_number", "map_index", "file",
}  # fmt: skip
#: How deep groups of errors inside groups are shown.
_MAX_DEPTH = 5
#: Unicode's classes of characters that a terminal obeys and does not show: controls, formats, surrogates, separators.
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Characters of these classes that are shown unchanged: the tab, and the joiners in words of some scripts and in emoji.
_SHOWN = frozenset("\t\u200c\u200d")


def render(line: bytes) -> str:
    """
    Returns one JSON line as ``12:00:00.123 info    task.stdout | text``; bytes that could move the cursor are escaped.
    """
    try:
        record = msgspec.json.decode(line, type=dict[str, object])
    except msgspec.MsgspecError:
        return printable(line.decode("utf-8", "backslashreplace"))
    time = str(record.get("timestamp", ""))[11:23]
    head = f"{time:<12} {record.get('level', '')!s:<8}{record.get('logger', '')!s:<16}| {record.get('event', '')}"
    extra = "".join(f" {key}={value}" for key, value in record.items() if key not in _KNOWN)
    return "\n".join(printable(text) for text in (head + extra, *_trace(record.get("error_detail"))))


def printable(text: str) -> str:
    """Returns the text with an escape for every character that a terminal would obey."""
    return text if text.isascii() and text.isprintable() else "".join(map(_spelt, text))


def _spelt(char: str) -> str:
    if char in _SHOWN or unicodedata.category(char) not in _OBEYED:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _trace(detail: object, depth: int = 0) -> list[str]:
    """
    Returns the structured traceback of a record, innermost error last, indented under its line. The members of a group
    stand below it, indented once more.
    """
    lines: list[str] = []
    for link in reversed(detail) if isinstance(detail, list) and depth < _MAX_DEPTH else []:
        if not isinstance(link, dict):
            continue
        frames = link.get("frames")
        known_frames = [frame for frame in frames if isinstance(frame, dict)] if isinstance(frames, list) else []
        lines += [f"    {frame.get('filename')}:{frame.get('lineno')} in {frame.get('name')}" for frame in known_frames]
        lines.append(f"    {link.get('exc_type')}: {link.get('exc_value')}")
        notes, members = link.get("exc_notes"), link.get("exceptions")
        lines += [f"    {note}" for note in notes] if isinstance(notes, list) else []
        for member in members if isinstance(members, list) else []:
            lines += [f"    {line}" for line in _trace(member, depth + 1)]
    return lines
