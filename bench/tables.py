"""Figures as Markdown tables. Pure: samples in, text out."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Target(NamedTuple):
    """The target for a figure: a bound of our own, a ratio to the peer, or both."""

    at_most: float | None = None
    times: float | None = None


class Figure(NamedTuple):
    """One thing measured on both sides, all samples in ``unit``. ``more`` is true where more is better."""

    what: str
    unit: str
    ours: Sequence[float]
    theirs: Sequence[float]
    target: Target = Target()
    more: bool = False


_HEAD = (
    "| what | unit | n | Airlock median (min-max) | Airflow median (min-max) | ratio of medians | target | |\n"
    "|---|---|---|---|---|---|---|---|"
)


def table(figures: Sequence[Figure]) -> str:
    """Returns one row a figure."""
    return "\n".join([_HEAD, *map(_row, figures)])


def ratio(figure: Figure) -> float:
    """Tells how many times better our median is than the peer's."""
    ours, theirs = statistics.median(figure.ours), statistics.median(figure.theirs)
    better, worse = (ours, theirs) if figure.more else (theirs, ours)
    return better / worse


def met(figure: Figure) -> bool | None:
    """Tells whether the medians meet the target; None without a target."""
    target = figure.target
    if target == Target():
        return None
    within = target.at_most is None or statistics.median(figure.ours) <= target.at_most
    return within and (target.times is None or ratio(figure) >= target.times)


def spread(samples: Sequence[float]) -> str:
    """Median and range, three significant digits."""
    return f"{number(statistics.median(samples))} ({number(min(samples))}-{number(max(samples))})"


def number(value: float) -> str:
    """Returns a number with three significant digits, or all digits before the point."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def _row(figure: Figure) -> str:
    verdict = {True: "met", False: "MISSED", None: ""}[met(figure)]
    samples = {len(figure.ours), len(figure.theirs)}
    cells = [
        figure.what,
        figure.unit,
        "/".join(map(str, sorted(samples))),
        spread(figure.ours),
        spread(figure.theirs),
        f"{ratio(figure):.1f}x",
        _words(figure),
        verdict,
    ]
    return f"| {' | '.join(cells)} |"


def _words(figure: Figure) -> str:
    target = figure.target
    parts = []
    if target.at_most is not None:
        parts.append(f"<= {target.at_most:g} {figure.unit}")
    if target.times is not None:
        parts.append(f">= {target.times:g}x")
    return ", ".join(parts)
