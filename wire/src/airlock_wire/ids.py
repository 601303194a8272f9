"""
What a DAG, a DAG run and a task may be called: one rule for the SDK, a laptop, a TaskRun and the server. Pure.

An id becomes a folder's name in the log's path (``task_id=ID``) and a piece of a URL. A folder's name has at most 255
bytes, so the limit counts bytes of UTF-8 and not characters. Letters beyond ASCII are allowed, as Airflow allows them.
``manifests/crd/taskruns.yaml`` spells the same rule for the API server.
"""

from typing import Final

#: Bytes of an id in UTF-8. ``task_id=`` and such an id fit into a folder's name of 255 bytes.
MAX_ID_BYTES: Final = 240

#: What an id may have beside letters and digits.
ID_MARKS: Final = "_-."
#: The same for a DAG run's id, which often holds a moment.
RUN_ID_MARKS: Final = "_-.:+~"


def problem(value: str, marks: str = ID_MARKS) -> str:
    """What an id must be and ``value`` is not, to follow the name of the field; empty for an id that is fine."""
    size = len(value.encode("utf-8", "surrogatepass"))
    clean = value != "." and ".." not in value and all(c.isalnum() or c in marks for c in value)
    if clean and 0 < size <= MAX_ID_BYTES:
        return ""
    *others, last = map(repr, marks)
    now = f"; it is {size} bytes long" if size > MAX_ID_BYTES else ""
    return f"must be 1 to {MAX_ID_BYTES} bytes of letters, digits, {', '.join(others)} or {last}, without '..'{now}"


def run_problem(value: str) -> str:
    """The same for a DAG run's id."""
    return problem(value, RUN_ID_MARKS)
