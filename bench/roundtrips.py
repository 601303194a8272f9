"""What a request costs user code: variables, XComs, and one large XCom."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from bench import launches, tasks
from bench.launches import Launch
from bench.tables import Figure, Target, table


def section(scratch: Path, pairs: int) -> str:
    """The figures, as Markdown."""
    with launches.field(scratch) as field:
        field.pairs(1, "roundtrips")
        both = field.pairs(pairs, "roundtrips")

    def medians(name: str) -> Sequence[Sequence[float]]:
        return [[1000 * statistics.median(launch.marks[name]) for launch in found] for found in both]

    def single(name: str) -> Sequence[Sequence[float]]:
        return [[1000 * _single(launch, name) for launch in found] for found in both]

    rows: list[tuple[str, Sequence[Sequence[float]], float]] = [
        (f"Variable.get, median of {tasks.CALLS} in one task", medians("variable"), 4),
        (f"xcom_pull, median of {tasks.CALLS} in one task", medians("xcom"), 4),
        (f"XCom of {tasks.LARGE // 10**6} MB, set", single("write"), 3),
        (f"XCom of {tasks.LARGE // 10**6} MB, get", single("read"), 3),
    ]
    figures = [Figure(what, "ms", ours, theirs, Target(times=times)) for what, (ours, theirs), times in rows]
    return f"""## Requests as user code sees them

One task in each launch makes all of these calls; both stacks against the same API server process (ours).

{table(figures)}
"""


def _single(launch: Launch, name: str) -> float:
    value: float = launch.marks[name]
    return value
