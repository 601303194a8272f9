"""Sums up a run of tiers: what failed, what was flaky, what did not run, and the minutes of each. Pure."""

from enum import Enum
from typing import NamedTuple


class Ended(Enum):
    """How a tier ended."""

    PASSED = "passed"
    #: A test failed and passed when it was run once more, alone.
    FLAKY = "passed, flaky"
    FAILED = "FAILED"
    #: The machine cannot run it.
    ABSENT = "not run"


class Result(NamedTuple):
    """One tier's end. ``why`` is for a tier that did not run, ``flaky`` the tests that passed the second time."""

    name: str
    ended: Ended
    minutes: float = 0.0
    expected: float = 0.0
    why: str = ""
    flaky: tuple[str, ...] = ()


#: If more tests fail, none is run again: so many failures are not an accident.
MOST_AGAIN = 5


def may_run_again(failed: list[str]) -> bool:
    """Tells whether the failed tests of a tier are run once more, alone."""
    return 0 < len(failed) <= MOST_AGAIN


def exit_code(results: list[Result], *, complete: bool) -> int:
    """Returns 0 if nothing failed, else 1. ``complete``: a tier that did not run is a failure too."""
    bad = {Ended.FAILED, Ended.ABSENT} if complete else {Ended.FAILED}
    return int(any(result.ended in bad for result in results))


def summary(results: list[Result], *, complete: bool) -> str:
    """Returns the lines that end a run: a row for each tier, then what was flaky and what has failed."""
    width = max((len(result.name) for result in results), default=0)
    lines = [
        f"{result.name:<{width}}  {result.minutes:5.1f} min  (about {result.expected:g})  {result.ended.value}"
        + (f": {result.why}" if result.why else "")
        for result in results
    ]
    lines += [f"FLAKY {test}" for result in results for test in result.flaky]
    bad = [result.name for result in results if exit_code([result], complete=complete)]
    lines.append(f"FAILED: {', '.join(bad)}" if bad else "all tiers that can run here passed")
    return "\n".join(lines)
