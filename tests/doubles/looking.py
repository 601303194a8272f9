"""What user code of any mode looks for: credentials in files, processes, its environment and its own memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

#: Source of ``look(home, server)``, which returns what it could read or do, by what that was. ``home`` is the platform's, and
#: ``server`` a process that must not be stopped.
LOOK = r"""
import gc, json, os, re

def look(home, server):
    from airlock.sdk import Variable
    found = {}

    def attempt(name, what):
        try:
            found[name] = repr(what())[:80]
        except BaseException:
            pass

    for name in ("airlock.db", "jwt.key", "encryption.key", "logs", ""):
        place = os.path.join(home, name)
        attempt("home/" + name, lambda: os.listdir(place) if name in ("", "logs") else open(place, "rb").read(10))
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        for part in ("mem", "environ"):
            attempt(f"{pid}/{part}", lambda: open(f"/proc/{pid}/{part}", "rb").close())
        attempt(f"{pid}/fd", lambda: os.listdir(f"/proc/{pid}/fd"))
    for number in (9, 19):
        attempt(f"signal {number} to a process of the platform", lambda: os.kill(server, number))
    for name, value in os.environ.items():
        if "AIRLOCK" in name or "TOKEN" in name or value.startswith("eyJ"):
            found[f"environment {name}"] = value
    attempt("a variable", lambda: Variable.get("secret"))
    texts = [each for each in gc.get_objects() if isinstance(each, (str, bytes))]
    for holder in gc.get_objects():
        if isinstance(holder, dict):
            texts += [each for each in list(holder.values()) if isinstance(each, (str, bytes))]
    for text in texts:
        text = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        if re.search(rb"eyJ[\w-]{20,}[.][\w-]+[.][\w-]+", text):
            found["a token in memory"] = repr(text[:40])
    return found
"""


def beyond(findings: Mapping[str, str]) -> list[str]:
    """The findings that are not about processes of the finder's own user."""
    return sorted(name for name in findings if not name.split("/")[0].isdecimal() or _owner(name.split("/")[0]) == 0)


def _owner(pid: str) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except FileNotFoundError:
        return None
