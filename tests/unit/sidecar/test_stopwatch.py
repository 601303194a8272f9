"""Which seconds of a launch are the task's own: a table of what happened when, and what counts at its end."""

import itertools

import pytest

from airlock_sidecar.state.stopwatch import Stopwatch

BEGUN = [("start", 0), ("begin", 0)]


def play(watch, name, at):
    """One step: a method of the stopwatch, or a heartbeat, or the answer to a request that is at fault."""
    match name:
        case "good beat" | "failed beat":
            watch.beat(at, answered=name == "good beat")
        case "refusal":
            watch.answer(at, at_fault=True)
        case _:
            getattr(watch, name)(at)


def counted(steps, at, **known):
    """The seconds that count at ``at``, after these steps: a name and its moment."""
    watch = Stopwatch(**known)
    for name, moment in steps:
        play(watch, name, moment)
    return watch.spent(at)


@pytest.mark.parametrize(
    ("what", "steps", "at", "seconds"),
    [
        ("nothing before it is started", [], 9, 0),
        ("the start, until user code begins", [("start", 1)], 9, 8),
        ("user code starts at zero", [("start", 1), ("begin", 4)], 9, 5),
        ("user code begins once", [*BEGUN, ("begin", 4)], 9, 9),
        ("nothing after the end", [*BEGUN, ("end", 4), ("start", 5), ("begin", 6)], 9, 4),
        ("a request that is answered at once", [*BEGUN, ("ask", 2), ("answer", 3)], 9, 9),
        ("a request that waits for its first answer", [*BEGUN, ("ask", 2)], 9, 9),
        ("not a request that failed and waits", [*BEGUN, ("ask", 2), ("fail", 4)], 9, 2),
        ("not a request that failed and was answered", [*BEGUN, ("ask", 2), ("fail", 4), ("answer", 6)], 9, 5),
        ("not a request that failed often", [*BEGUN, ("ask", 2), ("fail", 3), ("fail", 5), ("answer", 6)], 9, 5),
        ("not an outage in which heartbeats fail", [*BEGUN, ("ask", 2), ("fail", 3), ("failed beat", 4), ("failed beat", 7)], 9, 2),
        (
            "not the moments between a server's return and the next try",
            [*BEGUN, ("ask", 2), ("fail", 3), ("failed beat", 4), ("good beat", 6), ("answer", 8)], 9, 3,
        ),
        (
            "a request that fails again after a heartbeat was answered",
            [*BEGUN, ("ask", 2), ("fail", 3), ("good beat", 5), ("fail", 7)], 9, 4,
        ),
        (
            "such a request up to each heartbeat that is answered",
            [*BEGUN, ("ask", 2), ("fail", 3), ("good beat", 5), ("fail", 6), ("good beat", 8)], 9, 5,
        ),
        (
            "not such a request while heartbeats fail",
            [*BEGUN, ("ask", 1), ("fail", 2), ("good beat", 3), ("fail", 4), ("failed beat", 6), ("good beat", 7)], 9, 2,
        ),
        (
            "the last moments of a request that the server gave up",
            [*BEGUN, ("ask", 2), ("fail", 3), ("good beat", 5), ("fail", 6), ("refusal", 8)], 9, 6,
        ),
        ("a heartbeat that fails while the task works", [*BEGUN, ("failed beat", 2), ("failed beat", 7)], 9, 9),
        ("not an outage before user code begins", [("start", 0), ("ask", 1), ("fail", 2), ("answer", 7)], 9, 3),
        (
            "not an outage in the middle of which user code begins",
            [("start", 0), ("ask", 1), ("fail", 2), ("begin", 4), ("answer", 7)], 9, 2,
        ),
        (
            "the last moments before an end in an outage",
            [*BEGUN, ("ask", 2), ("fail", 3), ("end", 8)], 9, 2,
        ),
        ("a request before the start", [("ask", 0), ("fail", 1), ("answer", 2), *BEGUN], 9, 9),
    ],
)  # fmt: skip
def test_what_counts(what, steps, at, seconds):
    assert seconds == counted(steps, at), what


def test_a_restart_goes_on_where_the_last_sidecar_stood():
    assert 7 == counted([("start", 100), ("begin", 101)], 103, spent=4, begun=True)


def test_a_task_that_had_reported_its_end_uses_no_more_time_after_a_restart():
    assert 4 == counted([("start", 100)], 103, spent=4, begun=True, ended=True)


def test_never_more_counts_than_the_time_that_passed():
    names = ["begin", "ask", "fail", "answer", "refusal", "good beat", "failed beat"]
    for order in itertools.product(names, repeat=5):
        watch = Stopwatch()
        watch.start(0)
        for at, name in enumerate(order, 1):
            play(watch, name, at)
            assert 0 <= watch.spent(at) <= at, order
            assert watch.spent(at) <= watch.spent(at + 1) <= watch.spent(at) + 1, order
