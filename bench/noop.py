"""A no-op task: how long a launch takes, where, and what it costs."""

import statistics
from pathlib import Path

from bench import launches
from bench.launches import Launch
from bench.tables import Figure, Target, number, table

#: An end this late is Airflow's supervisor waiting for its next heartbeat.
STALL_SECONDS = 3.0


def section(scratch: Path, pairs: int) -> str:
    """Returns the figures, as Markdown."""
    with launches.field(scratch) as field:
        field.pairs(1, "noop")  # Compiles bytecode and fills the page cache, for both.
        ours, theirs = field.pairs(pairs, "noop")
        watched, their_watched = field.pairs(pairs, "noop", watched=True)
    stalls = [sum(launch.to_gone > STALL_SECONDS for launch in side) for side in (ours, theirs)]
    unstalled = [launch for launch in theirs if launch.to_gone <= STALL_SECONDS] or theirs

    targets = {
        "wall": Target(times=10),
        "to_first_line": Target(at_most=0.15),
        "to_gone": Target(at_most=0.03),
        "peak_mb": Target(at_most=60),
    }
    figures = figures_of(ours, theirs, watched, their_watched, targets)
    wall, end = (statistics.median(getattr(x, name) for x in unstalled) for name in ("wall", "to_gone"))
    return f"""## One no-op task

Both against the same API server process (ours), which isolates the client side. Each launch is of fresh processes:
ours as the local executor starts sidecar and launcher, Airflow's as its Kubernetes executor starts its supervisor
(`python -m airflow.sdk.execution_time.execute_workload`); both as this user. Memory is from {pairs} launches more,
which were not timed; PSS divides what is shared, so pages that other Pythons on the machine use count in part.

{table(figures)}

Stalls (over {STALL_SECONDS:g} s from user code's end to the end of the processes): ours {stalls[0]} of {len(ours)},
Airflow's {stalls[1]} of {len(theirs)}. Without those, Airflow's medians are {number(wall)} s for the whole and
{number(end)} s for the end.
"""


def figures_of(
    ours: list[Launch],
    theirs: list[Launch],
    watched: list[Launch],
    their_watched: list[Launch],
    targets: dict[str, Target],
) -> list[Figure]:
    """Returns what launches cost, side by side; ``targets`` by the launch's attribute."""
    rows = [
        ("no-op task, launch to processes gone", "s", "wall", ours, theirs),
        ("launch to first user line", "s", "to_first_line", ours, theirs),
        ("user code's end to processes gone", "s", "to_gone", ours, theirs),
        ("CPU time of all processes", "s", "cpu", ours, theirs),
        ("peak memory, summed PSS", "MB", "peak_mb", watched, their_watched),
    ]
    return [
        Figure(
            what,
            unit,
            [getattr(x, name) for x in airlocks],
            [getattr(x, name) for x in airflows],
            targets.get(name, Target()),
        )
        for what, unit, name, airlocks, airflows in rows
    ]
