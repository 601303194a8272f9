"""How a run ends, what stops it, and what it may have at once."""

from datetime import timedelta

import pytest
from doubles.dag_runs import NOW, SECOND, dag, instances, literal, outcome, play, snapshot, task

from airlock_server.rules.scheduling.decide import decide
from airlock_server.rules.scheduling.snapshot import Key, Limits, Run
from airlock_wire.dags.triggers import StartTrigger


def end(dag, states):
    result = decide(snapshot(dag, states)).end
    return None if result is None else (result.state, result.reason)


LINE = dag(task("a", "b"), task("b", "c"), task("c", trigger_rule="all_done"))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("SSS", ("success", "success")),
        ("FUS", ("success", "success")),
        ("SSF", ("failed", "task_failure")),
        ("SSU", ("failed", "task_failure")),
        ("KKK", ("success", "success")),
        ("SSR", ("success", "success")),
        ("SS-", None),
        ("-..", None),
    ],
)
def test_a_run_ends_by_the_states_of_its_leaves(states, expected):
    assert expected == end(LINE, dict(zip("abc", states, strict=True)))


def test_a_run_without_tasks_succeeds_at_once():
    result = decide(snapshot(dag(), complete=False)).end

    assert ("success", "success") == (result.state, result.reason)


def test_the_leaves_of_a_dag_of_teardowns_are_its_last_tasks():
    graph = dag(task("a", "b", is_teardown=True), task("b", is_teardown=True))

    assert ("failed", "task_failure") == end(graph, {"a": "S", "b": "F"})
    assert ("success", "success") == end(graph, {"a": "F", "b": "S"})


def test_every_instance_of_a_mapped_leaf_counts():
    assert ("failed", "task_failure") == end(dag(task("m", expansion=literal(2))), {"m[]": "SF"})


def test_the_instance_that_failed_last_is_the_one_that_the_callback_gets():
    rows = instances({"a": "F", "b": "F"})
    rows = [rows[0], type(rows[1])(task_id="b", state=rows[1].state, end_date=NOW)]

    assert Key("b") == decide(snapshot(dag(task("a"), task("b")), rows)).end.relevant


REMOVED = dag(task("a", "t"), task("t", trigger_rule="all_skipped"))


def test_a_run_in_which_nothing_can_run_any_more_fails():
    result = decide(snapshot(REMOVED, {"a": "R", "t": "."})).end

    assert ("failed", "all_tasks_deadlocked", Key("t")) == (result.state, result.reason, result.relevant)


@pytest.mark.parametrize(
    ("option", "other"),
    [
        ({"depends_on_past": True}, "."),
        ({"max_active_tis_per_dag": 1}, "."),
        ({"max_active_tis_per_dagrun": 1}, "."),
        ({}, "D"),
        ({}, "I"),
        ({}, "-"),
        ({}, "Q"),
    ],
)
def test_a_run_that_waits_for_something_else_is_not_deadlocked(option, other):
    graph = dag(task("a", "t"), task("t", trigger_rule="all_skipped", **option), task("z", trigger_rule="all_skipped"))
    graph = dag(*graph.tasks[:2], task("r", "z"), graph.tasks[2])

    assert None is end(graph, {"a": "R", "t": ".", "r": "R", "z": other})


def test_a_retry_that_waits_for_its_time_is_not_a_deadlock():
    changes = decide(snapshot(dag(task("t", retries=1, retry_delay_seconds=60.0)), {"t": "Y"}))

    assert (None, NOW - SECOND + timedelta(seconds=60)) == (changes.end, changes.due)


def test_a_reschedule_waits_for_its_date_and_keeps_its_try():
    import msgspec

    [row] = instances({"t": "Z"})
    later = msgspec.structs.replace(row, reschedule_date=NOW + SECOND)
    changes = decide(snapshot(dag(task("t")), [later]))
    assert ([], NOW + SECOND) == (changes.starts, changes.due)

    [start] = decide(snapshot(dag(task("t")), [msgspec.structs.replace(row, reschedule_date=NOW - SECOND)])).starts
    assert 1 == start.try_number


def test_a_retry_whose_time_has_come_is_the_next_try():
    [start] = decide(snapshot(dag(task("t", retries=1, retry_delay_seconds=0.0)), {"t": "Y"})).starts

    assert 2 == start.try_number


# --- time limit and fail_fast ---


def test_a_run_that_takes_too_long_fails_and_skips_the_rest():
    graph = dag(task("a", "b"), task("b"), task("t", is_teardown=True), dagrun_timeout_seconds=60.0)
    run = Run(run_id="r", start_date=NOW - timedelta(seconds=61))
    changes = decide(snapshot(graph, {"a": "-", "b": ".", "t": "."}, run=run))

    assert ("failed", "timed_out") == (changes.end.state, changes.end.reason)
    assert {"a": "skipped", "b": "skipped", "t": "skipped"} == {
        each.key.task_id: each.state.value for each in changes.moves
    }
    assert [] == changes.starts


def test_a_runs_time_limit_is_when_it_is_looked_at_again():
    changes = decide(snapshot(dag(task("a"), dagrun_timeout_seconds=60.0), {"a": "-"}))

    assert NOW + timedelta(seconds=60) == changes.due


def test_a_failure_stops_the_rest_of_a_run_that_fails_fast():
    graph = dag(
        task("a", "b"),
        task("b"),
        task("c", expansion=literal(2)),
        task("w"),
        task("t", is_teardown=True),
        fail_fast=True,
    )
    states = {"a": "F", "b": ".", "c[]": "SQ", "w": "-", "t": "."}

    stopped = outcome(graph, states, failed=[Key("a")])
    assert {"b": "K", "c[1]": "K", "w": "F", "t": "go"} == stopped
    # A failure from before the run was cleared stops nothing.
    assert {"t": "go", "b": "U"} == outcome(graph, states)


def test_other_instances_of_the_task_that_failed_go_on():
    graph = dag(task("m", expansion=literal(2)), fail_fast=True)

    assert {"m[1]": "go"} == outcome(graph, {"m[]": "F."}, failed=[Key("m", 0)])


# --- what starts ---


def test_the_heaviest_tasks_start_first_within_what_a_run_may_have():
    graph = dag(task("a"), task("b", "c"), task("c"), task("z", priority_weight=9), max_active_tasks=2)
    changes = decide(snapshot(graph))

    assert ["z", "b"] == [each.key.task_id for each in changes.starts]
    assert {"a": "scheduled", "b": "scheduled", "z": "scheduled"} == {
        each.key.task_id: each.state.value for each in changes.moves
    }
    # The next decision goes on with what is scheduled.
    assert ["a"] == [
        each.key.task_id for each in decide(snapshot(graph, {"a": "P", "b": "-", "c": ".", "z": "S"})).starts
    ]


@pytest.mark.parametrize("active", "-QDI")
def test_what_takes_a_place_of_a_run(active):
    graph = dag(task("a"), task("b"), max_active_tasks=1)

    assert [] == decide(snapshot(graph, {"a": active, "b": "."})).starts


@pytest.mark.parametrize(
    ("option", "elsewhere", "count"),
    [
        ({"max_active_tis_per_dagrun": 2}, {}, 2),
        ({"max_active_tis_per_dag": 2}, {}, 2),
        ({"max_active_tis_per_dag": 2}, {"m": 1}, 1),
        ({"max_active_tis_per_dag": 2}, {"m": 2}, 0),
        ({}, {"m": 9}, 4),
    ],
)
def test_a_tasks_own_limits_hold_back_its_instances(option, elsewhere, count):
    graph = dag(task("m", expansion=literal(4), **option))

    assert count == len(decide(snapshot(graph, limits=Limits(elsewhere=elsewhere))).starts)


def test_an_empty_task_is_done_without_a_start():
    graph = dag(task("e", "t", is_empty=True), task("t"))
    changes = decide(snapshot(graph))

    assert [("success", 1), ("scheduled", 1)] == [(each.state.value, each.try_number) for each in changes.moves]
    assert ["t"] == [each.key.task_id for each in changes.starts]


def test_a_task_that_begins_with_its_trigger_is_deferred():
    changes = decide(snapshot(dag(task("t", start_trigger=StartTrigger(trigger_cls="a.B")))))

    assert [(Key("t"), 1, True)] == [(each.key, each.try_number, each.deferred) for each in changes.starts]
    assert ["deferred"] == [each.state.value for each in changes.moves]


# --- rows of another version ---


def test_a_task_that_is_gone_is_removed_and_one_that_came_back_runs():
    graph = dag(task("a"), task("new"))
    rows = instances({"a": "R", "old": "."})
    changes = decide(snapshot(graph, rows, complete=False))

    assert {"old": "removed", "a": "scheduled", "new": "scheduled"} == {
        each.key.task_id: each.state.value for each in changes.moves
    }
    assert ["new"] == [each.task_id for each in changes.inserts]


def test_a_task_whose_dates_are_not_the_runs_gets_no_row():
    graph = dag(task("early", end_date=NOW - SECOND), task("late", start_date=NOW + SECOND), task("t"))
    rows = [each.task_id for each in decide(snapshot(graph, run=Run(run_id="r", logical_date=NOW))).inserts]
    assert ["t"] == rows

    backfill = Run(run_id="r", logical_date=NOW, run_type="backfill")
    assert 3 == len(decide(snapshot(graph, run=backfill)).inserts)
    assert 3 == len(decide(snapshot(graph)).inserts)


def test_a_chain_of_a_thousand_is_skipped_in_one_decision():
    chain = dag(*[task(f"t{n:04}", f"t{n + 1:04}" if n < 999 else "") for n in range(1000)])
    states = {f"t{n:04}": "." for n in range(1000)} | {"t0000": "K"}

    changes = decide(snapshot(chain, states))
    assert (999, "success") == (len(changes.moves), changes.end.state)


def test_a_run_is_played_from_its_rows_to_its_end():
    assert ({"a": "F", "b": "U", "c": "S"}, "success") == (play(LINE, {"a": "F"})[0], play(LINE, {"a": "F"})[1].state)
