"""
Checks ids of DAGs, DAG runs and tasks: one rule for the SDK, a laptop, a TaskRun and the server. Pure.

An id becomes a folder's name in the log's path (``task_id=ID``) and a piece of a URL. A folder's name has at most 255
bytes, so the limit counts bytes of UTF-8 and not characters. Letters beyond ASCII are allowed, as Airflow allows them.
``manifests/crd/taskruns.yaml`` spells the same rule for the API server.
"""

from typing import Final

#: Bytes of an id in UTF-8. ``task_id=`` and such an id fit into a folder's name of 255 bytes.
MAX_ID_BYTES: Final = 240

#: The characters that an id may have beside letters and digits.
ID_MARKS: Final = "_-."
#: The same for a DAG run's id, which often has a time in it.
RUN_ID_MARKS: Final = "_-.:+~"


def problem(value: str, marks: str = ID_MARKS) -> str:
    """
    Returns the rule that ``value`` breaks, to follow the name of the field; empty if it can be an id.
    """
    size = len(value.encode("utf-8", "surrogatepass"))
    clean = value != "." and ".." not in value and all(c.isalnum() or c in marks for c in value)
    if clean and 0 < size <= MAX_ID_BYTES:
        return ""
    *others, last = map(repr, marks)
    now = f"; it is {size} bytes long" if size > MAX_ID_BYTES else ""
    return f"must be 1 to {MAX_ID_BYTES} bytes of letters, digits, {', '.join(others)} or {last}, without '..'{now}"


def run_problem(value: str) -> str:
    """Returns the rule that ``value`` breaks as a DAG run's id; empty if it can be one."""
    return problem(value, RUN_ID_MARKS)
