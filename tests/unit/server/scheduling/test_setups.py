"""Setups and teardowns: what they ask of the tasks between them, and what of them counts for the run."""

import pytest
from doubles.dag_runs import dag, literal, outcome, play, task

from airlock_wire.dags.group import SerializedGroup

CHAIN = dag(task("s", "t w", is_setup=True), task("w", "t"), task("t", is_teardown=True))


@pytest.mark.parametrize(
    ("ends", "states", "end"),
    [
        ({}, {"s": "S", "w": "S", "t": "S"}, "success"),
        ({"s": "F"}, {"s": "F", "w": "U", "t": "U"}, "failed"),
        ({"s": "K"}, {"s": "K", "w": "K", "t": "K"}, "success"),
        ({"w": "F"}, {"s": "S", "w": "F", "t": "S"}, "failed"),
        ({"w": "K"}, {"s": "S", "w": "K", "t": "S"}, "success"),
        ({"t": "F"}, {"s": "S", "w": "S", "t": "F"}, "success"),
    ],
)
def test_a_setup_its_work_and_its_teardown_end_as_in_airflow(ends, states, end):
    rows, run = play(CHAIN, ends)

    assert (states, end) == (rows, run.state)


def test_a_teardown_that_counts_fails_its_run():
    graph = dag(
        task("s", "t w", is_setup=True), task("w", "t"), task("t", is_teardown=True, on_failure_fail_dagrun=True)
    )

    assert "failed" == play(graph, {"t": "F"})[1].state


INDIRECT = dag(
    task("s", "a t", is_setup=True),
    task("a", "w"),
    task("w", "t", trigger_rule="all_done"),
    task("t", is_teardown=True),
)


@pytest.mark.parametrize(
    ("setup", "expected"), [("F", {"w": "U"}), ("U", {"w": "U"}), ("K", {"w": "K"}), ("-", {}), ("S", {"w": "go"})]
)
def test_a_setup_that_is_not_directly_before_a_task_must_succeed_whatever_the_tasks_rule(setup, expected):
    assert expected == outcome(INDIRECT, {"s": setup, "a": "S", "w": ".", "t": "D"})


def test_a_setup_whose_teardown_is_past_asks_nothing_of_later_tasks():
    graph = dag(
        task("s", "t", is_setup=True),
        task("t", "a", is_teardown=True),
        task("a", "after", trigger_rule="all_done"),
        task("after", trigger_rule="all_done"),
    )

    assert {"after": "go"} == outcome(graph, {"s": "F", "t": "U", "a": "S", "after": "."})


def test_a_setup_without_a_teardown_asks_something_of_every_later_task():
    graph = dag(task("s", "a", is_setup=True), task("a", "b"), task("b", trigger_rule="all_done"))

    assert {"b": "U"} == outcome(graph, {"s": "F", "a": "S", "b": "."})


def test_a_teardown_waits_for_every_task_of_its_scope():
    graph = dag(
        task("s", "a t", is_setup=True),
        task("a", "b c"),
        task("b", "t"),
        task("c", "e"),
        task("e", "t"),
        task("t", is_teardown=True),
    )

    # The task c is neither directly before the teardown nor done.
    assert {} == outcome(graph, {"s": "S", "a": "S", "b": "S", "c": "-", "e": "F", "t": "."})
    assert {"t": "go"} == outcome(graph, {"s": "S", "a": "S", "b": "S", "c": "S", "e": "F", "t": "."})


@pytest.mark.parametrize(
    ("setups", "expected"),
    [("SF", {"t": "go"}), ("FF", {"t": "U"}), ("KK", {"t": "K"}), ("FK", {"t": "U"}), ("F-", {})],
)
def test_a_teardown_of_two_setups_runs_if_one_of_them_succeeded(setups, expected):
    graph = dag(task("a", "t", is_setup=True), task("b", "t", is_setup=True), task("t", is_teardown=True))

    assert expected == outcome(graph, {"a": setups[0], "b": setups[1], "t": "."})


def test_in_a_mapped_group_a_setup_counts_for_its_own_index_alone():
    graph = dag(
        task("s", "a t", is_setup=True, group_id="g"),
        task("a", "w", group_id="g"),
        task("w", "t", group_id="g", trigger_rule="all_done"),
        task("t", is_teardown=True, group_id="g"),
        groups=[SerializedGroup(group_id="g", expansion=literal(2))],
    )

    assert {"w[0]": "U", "w[1]": "go"} == outcome(graph, {"s[]": "FS", "a[]": "SS", "w[]": "..", "t[]": "DD"})
