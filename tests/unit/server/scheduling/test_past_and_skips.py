"""Past dependencies, and what a branch or a short circuit decided."""

from datetime import timedelta

import pytest
from doubles.dag_runs import LETTERS, NOW, dag, literal, outcome, play, task

from airlock_server.rules.scheduling.snapshot import Key, Past, Run, SkipRecord
from airlock_wire.dags.group import SerializedGroup

DAY = timedelta(days=1)
RUN = Run(run_id="r", logical_date=NOW, start_date=NOW)


def past(states=None, older=(), date=NOW - DAY):
    states = {task_id: [LETTERS[letter] for letter in letters] for task_id, letters in (states or {}).items()}
    return Past(logical_date=date, states=states, older=frozenset(older))


@pytest.mark.parametrize(
    ("options", "before", "expected"),
    [
        ({"depends_on_past": True}, past({"t": "S"}), "go"),
        ({"depends_on_past": True}, past({"t": "K"}), "go"),
        ({"depends_on_past": True}, past({"t": "F"}), None),
        ({"depends_on_past": True}, past({"t": "-"}), None),
        ({"depends_on_past": True}, past({"t": "SF"}), None),
        ({"depends_on_past": True}, past({"t": "R"}), None),
        ({"depends_on_past": True}, None, "go"),
        ({"depends_on_past": True}, past(), None),
        ({"depends_on_past": True, "ignore_first_depends_on_past": True}, past(), "go"),
        ({"depends_on_past": True, "ignore_first_depends_on_past": True}, past(older=["t"]), None),
        ({"depends_on_past": True}, past({"t": "S", "u": "F"}), "go"),
        ({"wait_for_downstream": True}, past({"t": "S", "u": "F"}), None),
        ({"wait_for_downstream": True}, past({"t": "S", "u": "S"}), "go"),
        ({"wait_for_downstream": True}, past({"t": "F", "u": "S"}), None),
        ({}, past({"t": "F"}), "go"),
    ],
)
def test_a_task_waits_for_the_run_before_if_it_depends_on_it(options, before, expected):
    graph = dag(task("t", "u", **options), task("u"))

    assert expected == outcome(graph, {"t": ".", "u": "."}, run=RUN, past=before).get("t")


@pytest.mark.parametrize(
    ("run", "catchup", "start"),
    [
        (Run(run_id="r", logical_date=None), False, None),
        (Run(run_id="r", logical_date=NOW, first_of_backfill=True), False, None),
        (RUN, True, NOW),
    ],
    ids=["no logical date", "first of a backfill", "the task began later"],
)
def test_the_run_before_does_not_matter(run, catchup, start):
    graph = dag(task("t", depends_on_past=True, start_date=start), catchup=catchup)

    assert {"t": "go"} == outcome(graph, {"t": "."}, run=run, past=past({"t": "F"}))


def test_a_task_that_waits_for_the_past_may_still_be_skipped_or_fail_by_its_upstream():
    graph = dag(task("a", "t"), task("t", depends_on_past=True))

    assert {"t": "K"} == outcome(graph, {"a": "K", "t": "."}, run=RUN, past=past({"t": "F"}))


def test_with_the_option_a_skip_waits_for_the_past():
    graph = dag(task("a", "t"), task("t", depends_on_past=True, wait_for_past_depends_before_skipping=True))

    assert {} == outcome(graph, {"a": "K", "t": "."}, run=RUN, past=past({"t": "F"}))
    assert {"t": "K"} == outcome(graph, {"a": "K", "t": "."}, run=RUN, past=past({"t": "S"}))


# --- skips ---

FOLLOWED = SkipRecord(followed=frozenset({"x"}))
BRANCH = dag(task("b", "x y", can_skip=True), task("x", "z"), task("y", "z"), task("z", trigger_rule="none_failed"))


def test_a_branch_skips_what_it_did_not_follow():
    rows, end = play(BRANCH, records={Key("b"): FOLLOWED})

    assert ({"b": "S", "x": "S", "y": "K", "z": "S"}, "success") == (rows, end.state)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (SkipRecord(followed=frozenset()), {"x": "K", "y": "K"}),
        (SkipRecord(skipped=frozenset({"y"})), {"x": "go", "y": "K"}),
        (SkipRecord(skipped=frozenset()), {"x": "go", "y": "go"}),
        (None, {"x": "go", "y": "go"}),
    ],
)
def test_a_record_decides_for_the_tasks_directly_after_its_task(record, expected):
    records = {} if record is None else {Key("b"): record}

    assert expected == outcome(BRANCH, {"b": "S", "x": ".", "y": ".", "z": "D"}, skip_records=records)


def test_a_record_counts_before_the_trigger_rule_and_after_its_task_has_ended():
    graph = dag(task("b", "t", can_skip=True), task("t", trigger_rule="all_done"))
    records = {Key("b"): SkipRecord(skipped=frozenset({"t"}))}

    assert {"t": "K"} == outcome(graph, {"b": "S", "t": "."}, skip_records=records)
    # The branch was cleared and runs again: its old record does not count.
    assert {} == outcome(graph, {"b": "-", "t": "."}, skip_records=records)


def test_a_grandchild_of_a_short_circuit_is_not_asked_about():
    graph = dag(task("b", "t", can_skip=True), task("t", "u"), task("u", trigger_rule="all_done"))
    records = {Key("b"): SkipRecord(skipped=frozenset({"t", "u"}))}

    assert {"u": "go"} == outcome(graph, {"b": "S", "t": "K", "u": "."}, skip_records=records)


def test_a_branch_in_a_mapped_group_does_not_decide_for_an_instance_outside():
    graph = dag(
        task("b", "t", can_skip=True, group_id="g"),
        task("t", expansion=literal(2)),
        groups=[SerializedGroup(group_id="g", expansion=literal(2))],
    )
    records = {Key("b", 0): SkipRecord(skipped=frozenset({"t"}))}

    assert {"t[0]": "go", "t[1]": "go"} == outcome(graph, {"b[]": "SS", "t[]": ".."}, skip_records=records)


def test_a_mapped_branch_skips_for_its_own_index():
    graph = dag(
        task("b", "t", can_skip=True, group_id="g"),
        task("t", group_id="g"),
        groups=[SerializedGroup(group_id="g", expansion=literal(2))],
    )
    records = {Key("b", 0): SkipRecord(skipped=frozenset({"t"})), Key("b", 1): SkipRecord(skipped=frozenset())}

    assert {"t[0]": "K", "t[1]": "go"} == outcome(graph, {"b[]": "SS", "t[]": ".."}, skip_records=records)
