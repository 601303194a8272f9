"""
What is seen of the zoo's DAGs, and how two executors' animals are compared. Pure, but for the readers at the end.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

#: The DAGs that end `failed`, because a task of theirs fails as it should.
FAIL = {"rules", "setups", "sensor_timeout", "retries", "failure_callbacks", "memory", "time_limit"}
#: What differs for a reason, by executor, DAG and field. Nothing else may, and each of these must.
_KILLED = "Airflow's supervisor reports a killed task as failed, and then nobody calls its callback; ours leaves it to Airflow"
_SUPERVISOR = (
    "the kernel kills a container as a whole: Airflow's supervisor too, with the lines that it had not written"
)
DIFFERENCES: dict[str, dict[str, dict[str, str]]] = {
    "local": {"failure_callbacks": {"notes": _KILLED}, "memory": {"notes": _KILLED}},
    "kubernetes": {"failure_callbacks": {"notes": _KILLED}, "memory": {"notes": _KILLED, "lines": _SUPERVISOR}},
}
#: DAGs that Airflow's own executors fail now and then, and why. Ours may not.
UNSURE = {
    "short_pokes": "the end of a poke is reported late, when the next poke of the same try runs: Airflow takes it for that one's"
}
#: DAGs that are not started by the test: something of the zoo does.
STARTED = {"consumer", "alias_consumer", "watcher"}
#: XComs that are links and times of one launch.
_OWN_XCOMS = re.compile(r"^(_link_|skipmixin|state)|.*_(at|time)$")


class Seen(NamedTuple):
    """What one executor's DAG did. All is plain data, so that two are equal or say what is not."""

    state: str
    tasks: dict[str, tuple[str | None, int]]
    xcoms: dict[str, Any]
    notes: list[str]
    lines: list[str]


def differences(one: Seen, other: Seen) -> dict[str, str]:
    """Returns in words what one has and the other has not, by the field."""
    pairs = {field: (getattr(one, field), getattr(other, field)) for field in Seen._fields}
    return {field: _short(mine, theirs) for field, (mine, theirs) in pairs.items() if mine != theirs}


def _short(mine: Any, theirs: Any) -> str:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        names = [name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name)]
        return ", ".join(f"{name} {mine.get(name)!r:.80} and {theirs.get(name)!r:.80}" for name in sorted(names))
    return f"{mine!r:.200} and {theirs!r:.200}"


def table(seen: dict[str, dict[str, Seen]], executors: list[str]) -> str:
    """Returns one line for each DAG: how it ended by each executor, and what differs."""
    rows = [f"{'DAG':<20}" + "".join(f"{name:<30}" for name in executors) + "differs"]
    for dag, of in sorted(seen.items()):
        first = of[executors[0]]
        cells = [
            f"{of[name].state}, {len(of[name].tasks)} tasks, {sum(n for _, n in of[name].tasks.values())} tries"
            for name in executors
        ]
        words = [
            f"{field}, {name}: {text}" for name in executors[1:] for field, text in differences(first, of[name]).items()
        ]
        rows.append(f"{dag:<20}" + "".join(f"{cell:<30}" for cell in cells) + ("; ".join(words) or "nothing"))
    return "\n".join(rows)


def seen(airflow: Any, dag_id: str, notes: list[str], lines: list[str]) -> Seen:
    """Reads what a DAG's run left in Airflow's database."""
    xcoms = {
        f"{task}[{index}].{key}" if index >= 0 else f"{task}.{key}": value
        for task, index, key, value in airflow.rows(
            "SELECT task_id, map_index, key, value FROM xcom WHERE dag_id = %s", dag_id
        )
        if not _OWN_XCOMS.match(key)
    }
    short = dag_id.rpartition("__")[2]
    own = [note.removeprefix(f"noted /{dag_id}/") for note in notes if note.startswith(f"noted /{dag_id}/")]
    return Seen(
        airflow.runs().get(dag_id, ""),
        airflow.tasks(dag_id),
        {name: _cut(value, short) for name, value in xcoms.items()},
        sorted(own),
        sorted(lines),
    )


def _cut(value: Any, short: str) -> str:
    """Returns a value's JSON, its beginning if it is large, without the executor's name."""
    text = json.dumps(value, sort_keys=True, default=str).replace(short, "EXECUTOR")
    return text if len(text) < 300 else f"{text[:100]}... of {len(text)}"


def marked(text: str) -> list[str]:
    """Returns what the zoo's tasks said in a log: each line from its mark on, whatever is around it."""
    return [match.group(1).strip() for match in re.finditer(r"(zoo: [^\"\n\\]*)", text)]
