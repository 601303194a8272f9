"""A run for people: a tree that fits a terminal, and lines of what changed."""

import io
from datetime import timedelta

from doubles.dag_runs import NOW, dag, instances, literal, task

from airlock_server.cli.local.run_view import Live, Plain, depths, fitting, tree
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.store.runs.progress import Row

GRAPH = DagGraph(dag(task("a", "b m"), task("b", "z"), task("m", "z", expansion=literal(3)), task("z"), task("other")))


def rows(states):
    began = NOW - timedelta(seconds=3)
    return [Row(ti_id=str(n), instance=each, start_date=began) for n, each in enumerate(instances(states))]


def test_a_task_stands_below_the_last_of_those_before_it():
    assert {"a": 0, "b": 1, "m": 1, "z": 2, "other": 0} == depths(GRAPH)
    assert ["a", "b", "m", "z", "other"] == list(depths(GRAPH))


def test_a_line_has_the_state_the_time_and_the_try_of_a_task():
    lines = tree(GRAPH, rows({"a": "S", "b": "-", "m[]": "SS-", "z": "."}), NOW)

    assert [
        "a      success                2.0 s",
        "  b    running                3.0 s",
        "  m    [3] 2 success, 1 running      3.0 s",
        "    z  waiting",
        "other",
    ] == lines


def test_a_tree_that_is_higher_than_its_terminal_is_cut():
    assert ["a", "... 3 more tasks"] == fitting(["a", "b", "c", "d"], 2)
    assert ["a", "b"] == fitting(["a", "b"], 2)


def test_the_second_picture_is_drawn_over_the_first():
    stream = io.StringIO()
    view = Live(GRAPH, stream)
    view.show(rows({"a": "-"}))
    first = stream.getvalue()
    view.show(rows({"a": "S"}))

    assert "\x1b[5F" not in first
    assert stream.getvalue().removeprefix(first).startswith("\x1b[5F\x1b[J")


def test_only_changes_are_written_where_there_is_no_terminal():
    lines = []
    view = Plain(lines.append)
    view.show(rows({"a": "Q", "z": "."}))
    view.show(rows({"a": "Q", "z": "."}))
    view.show(rows({"a": "S", "z": "."}))

    assert ["a  queued", "a  success"] == [line.partition(" ")[2] for line in lines]


def test_the_name_of_a_task_cannot_move_the_cursor():
    graph = DagGraph(dag(task("a\x1b[2J")))

    assert ["a\\x1b[2J"] == tree(graph, [], NOW)
