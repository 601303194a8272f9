"""Airflow's own runner behind our sidecar, beside the same runner under Airflow's supervisor."""

from pathlib import Path

from bench import launches, noop, roundtrips
from bench.tables import table


def section(scratch: Path, pairs: int) -> str:
    """Returns the figures, as Markdown."""
    with launches.field(scratch) as field:
        ours = field.dropin
        field.pairs(1, "noop", ours=ours)  # Compiles bytecode and fills the page cache, for both.
        timed, theirs = field.pairs(pairs, "noop", ours=ours)
        watched, their_watched = field.pairs(pairs, "noop", watched=True, ours=ours)
        airlock_trips, airflow_trips = field.pairs(pairs, "roundtrips", ours=ours)
        airlock_marks = [launch.marks for launch in airlock_trips]
        airflow_marks = [launch.marks for launch in airflow_trips]
    figures = noop.figures_of(timed, theirs, watched, their_watched, {})
    return f"""## Airflow's own runner: behind our sidecar, and under Airflow's supervisor

The drop-in column. Both against the same API server process (ours), in the same Airflow and the same interpreter: what
differs is the process in front of the runner. Airflow's import time is in both.

{table(figures)}

Requests as user code sees them:

{roundtrips.requests_table(airlock_marks, airflow_marks, native=False)}
"""
