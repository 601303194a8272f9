"""A task's log lines, as a person reads them in a terminal. Pure."""

import msgspec

_KNOWN = {
    "timestamp", "level", "event", "logger", "filename", "lineno", "error_detail",
    "ti_id", "dag_id", "task_id", "run_id", "try_number", "map_index", "file",
}  # fmt: skip
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x09}


def render(line: bytes) -> str:
    """One JSON line as ``12:00:00.123 info    task.stdout | text``; bytes that could move the cursor are escaped."""
    try:
        record = msgspec.json.decode(line, type=dict[str, object])
    except msgspec.MsgspecError:
        return printable(line.decode("utf-8", "backslashreplace"))
    time = str(record.get("timestamp", ""))[11:23]
    head = f"{time:<12} {record.get('level', ''):<8}{record.get('logger', ''):<16}| {record.get('event', '')}"
    extra = "".join(f" {key}={value}" for key, value in record.items() if key not in _KNOWN)
    return "\n".join(printable(text) for text in (head + extra, *_trace(record.get("error_detail"))))


def printable(text: str) -> str:
    """The text with control characters written out."""
    return text.translate(_CONTROL)


def _trace(detail: object) -> list[str]:
    """The structured traceback of a record, innermost error last, indented under its line."""
    lines: list[str] = []
    for link in reversed(detail) if isinstance(detail, list) else []:
        if not isinstance(link, dict):
            continue
        frames = link.get("frames") or []
        lines += [f"    {frame.get('filename')}:{frame.get('lineno')} in {frame.get('name')}" for frame in frames]
        lines.append(f"    {link.get('exc_type')}: {link.get('exc_value')}")
    return lines
