"""Mapping: expansion, lengths, and which instances of other tasks belong to one of a mapped group."""

import pytest
from doubles.dag_runs import dag, instances, literal, outcome, over, play, snapshot, task

from airlock_server.rules.scheduling.board import Board
from airlock_server.rules.scheduling.decide import decide
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.mapping import Lengths
from airlock_wire.dags.group import SerializedGroup
from airlock_wire.dags.mapping import Argument, ConcatSource, Expansion, Literally, MapSource, XComSource, ZipSource

# --- rows ---


def test_literal_lengths_are_expanded_with_the_first_rows():
    changes = decide(snapshot(dag(task("m", expansion=literal(2, 3)))))

    assert list(range(6)) == [each.map_index for each in changes.inserts]
    assert list(range(6)) == sorted(each.key.map_index for each in changes.starts)


PUSHED = dag(task("a", "m"), task("m", "z", expansion=over("a")), task("z", trigger_rule="all_done"))


def test_a_task_over_a_pushed_value_has_one_instance_until_the_length_is_known():
    first = decide(snapshot(PUSHED))
    assert [("a", -1), ("m", -1), ("z", -1)] == [(each.task_id, each.map_index) for each in first.inserts]

    then = decide(snapshot(PUSHED, {"a": "S", "m": ".", "z": "."}, lengths={"a": 3}))
    assert ["m"] == then.renumbered
    assert [("m", 1), ("m", 2)] == [(each.task_id, each.map_index) for each in then.inserts]
    assert [("m", 0), ("m", 1), ("m", 2)] == sorted(each.key for each in then.starts)


@pytest.mark.parametrize(
    ("source", "lengths", "expected"),
    [
        ("S", {"a": 0}, {"m": "K", "z": "go"}),
        # It ended well and pushed nothing that has a length.
        ("S", {}, {"m": "U", "z": "go"}),
        ("F", {}, {"m": "U", "z": "go"}),
        ("U", {}, {"m": "U", "z": "go"}),
        ("K", {}, {"m": "K", "z": "go"}),
        ("-", {}, {}),
    ],
)
def test_an_expansion_without_instances_ends_by_its_source(source, lengths, expected):
    assert expected == outcome(PUSHED, {"a": source, "m": ".", "z": "."}, lengths=lengths)


def test_a_source_that_was_skipped_skips_the_mapped_task_even_if_its_rule_would_run_it():
    graph = dag(task("a", "m"), task("m", expansion=over("a"), trigger_rule="all_done"))

    assert {"m": "K"} == outcome(graph, {"a": "K", "m": "."})


def test_a_shorter_length_removes_indexes_and_a_longer_one_adds_them():
    shorter = decide(snapshot(PUSHED, {"a": "S", "m[]": ".SS", "z": "."}, lengths={"a": 1}))
    assert {("m", 1): "removed", ("m", 2): "removed"}.items() <= {
        each.key: each.state.value for each in shorter.moves
    }.items()

    longer = decide(snapshot(PUSHED, {"a": "S", "m[]": ".S", "z": "."}, lengths={"a": 4}))
    assert [2, 3] == [each.map_index for each in longer.inserts]
    assert {"m[0]", "m[2]", "m[3]"} == {f"m[{each.key.map_index}]" for each in longer.starts}


def test_a_mapped_task_that_was_cleared_to_unmapped_gives_way_to_its_first_index():
    rows = instances({"a": "S", "m[]": "SS", "z": "."}) + instances({"m": "."})
    changes = decide(snapshot(PUSHED, rows, lengths={"a": 2}))

    assert (["m"], []) == (changes.dropped, changes.renumbered)


def test_a_task_of_too_many_instances_is_not_expanded():
    graph = dag(task("a", "m"), task("b", "m"), task("m", expansion=over("a", "b")))

    assert {"m": "U"} == outcome(graph, {"a": "S", "b": "S", "m": "."}, lengths={"a": 1000, "b": 101})
    assert [-1] == [each.map_index for each in decide(snapshot(dag(task("m", expansion=literal(1000, 101))))).inserts]


# --- lengths ---

X, Y = XComSource(task_id="x"), XComSource(task_id="y")


def length(source, lengths, pushed=None, states=None):
    graph = DagGraph(
        dag(
            task("x"),
            task("y"),
            task("mapped", expansion=literal(3)),
            task("t", expansion=Expansion(kind="kwargs", arguments=[Argument(name="kwargs", source=source)])),
        )
    )
    return Lengths(Board(graph, instances(states or {})), lengths, pushed or {}).total("t")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Literally(length=4), 4),
        (X, 2),
        (MapSource(source=X), 2),
        (ZipSource(sources=[X, Y]), 2),
        (ZipSource(sources=[X, Y], longest=True), 5),
        (ConcatSource(sources=[X, Y, Literally(length=1)]), 8),
        (MapSource(source=ConcatSource(sources=[X, ZipSource(sources=[X, Y])])), 4),
    ],
)
def test_a_source_has_the_length_of_what_it_is_made_of(source, expected):
    assert expected == length(source, {"x": 2, "y": 5})
    missing = length(source, {"x": 2})
    assert missing is None or missing == expected


def test_a_mapped_source_counts_its_values_once_all_its_instances_have_ended():
    mapped = XComSource(task_id="mapped")

    assert None is length(mapped, {}, {"mapped": 1}, {"mapped[]": "S-S"})
    assert 2 == length(mapped, {}, {"mapped": 2}, {"mapped[]": "SFS"})
    assert 0 == length(mapped, {}, {}, {"mapped[]": "KKK"})


# --- indexes ---


def grouped(*tasks, inner=None, outer=2):
    groups = [SerializedGroup(group_id="g", expansion=literal(outer))]
    if inner is not None:
        groups.append(SerializedGroup(group_id="h", parent_group_id="g", expansion=literal(inner)))
    return dag(*tasks, groups=groups)


def relevant(graph, index, task_id="t", other_id="u"):
    graph = DagGraph(graph)
    indexes = Lengths(Board(graph, []), {}, {}).relevant(task_id, index, other_id)
    return list(indexes) if isinstance(indexes, range) else indexes


def test_tasks_of_one_mapped_group_belong_together_by_index():
    graph = grouped(task("u", "t", group_id="g"), task("t", group_id="g"))

    assert [0, 1] == [relevant(graph, index) for index in (0, 1)]


def test_a_task_outside_the_group_belongs_to_every_instance():
    assert None is relevant(grouped(task("u", "t"), task("t", group_id="g")), 0)


def test_an_instance_of_a_nested_group_belongs_to_one_of_the_outer():
    graph = grouped(task("u", "t", group_id="g"), task("t", group_id="h"), inner=3)

    assert [0, 0, 0, 1, 1, 1] == [relevant(graph, index) for index in range(6)]


def test_an_instance_of_the_outer_group_has_a_range_of_a_task_that_is_mapped_further_inside():
    graph = grouped(task("u", "t", group_id="h"), task("t", group_id="g"), inner=3)

    # As Airflow computes it: the range is as long as the task itself is mapped beyond the group.
    assert [[0], [1]] == [relevant(graph, index) for index in (0, 1)]


def test_two_tasks_of_a_nested_group_belong_together_by_index():
    graph = grouped(task("u", "t", group_id="h"), task("t", group_id="h"), inner=3)

    assert list(range(6)) == [relevant(graph, index) for index in range(6)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("all_success", {"t[0]": "U", "t[1]": "go"}),
        ("one_failed", {"t[0]": "go", "t[1]": "K"}),
        ("all_failed", {"t[0]": "go", "t[1]": "K"}),
        ("one_success", {"t[0]": "U", "t[1]": "go"}),
    ],
)
def test_inside_a_mapped_group_a_rule_looks_at_its_own_index(rule, expected):
    graph = grouped(task("u", "t", group_id="g"), task("t", group_id="g", trigger_rule=rule))

    assert expected == outcome(graph, {"u[]": "FS", "t[]": ".."})


def test_a_task_after_a_group_looks_at_every_index():
    graph = grouped(task("u", "t", group_id="g"), task("t"))

    assert {"t": "U"} == outcome(graph, {"u[]": "FS", "t": "."})
    assert {} == outcome(graph, {"u[]": "-S", "t": "."})


@pytest.mark.parametrize("rule", ["one_success", "one_failed", "one_done", "none_failed_min_one_success"])
def test_a_rule_that_may_be_satisfied_early_does_not_end_a_group_that_is_not_expanded(rule):
    graph = dag(
        task("a", "u t"),
        task("u", "t", group_id="g"),
        task("t", group_id="g", trigger_rule=rule),
        groups=[SerializedGroup(group_id="g", expansion=over("a"))],
    )

    assert {} == outcome(graph, {"a": "-", "u": ".", "t": "."})


def test_a_mapped_group_over_a_pushed_value_runs_index_by_index():
    graph = dag(
        task("a", "u"),
        task("u", "t", group_id="g"),
        task("t", "z", group_id="g"),
        task("z", trigger_rule="all_done"),
        groups=[SerializedGroup(group_id="g", expansion=over("a"))],
    )
    rows, end = play(graph, {"u[0]": "F"}, lengths={"a": 2})

    assert {"a": "S", "u[0]": "F", "u[1]": "S", "t[0]": "U", "t[1]": "S", "z": "S"} == rows
    assert "success" == end.state


def test_a_mapped_group_of_length_zero_skips_its_tasks():
    graph = dag(
        task("a", "u"),
        task("u", "t", group_id="g"),
        task("t", "z", group_id="g", trigger_rule="all_done"),
        task("z"),
        groups=[SerializedGroup(group_id="g", expansion=over("a"))],
    )
    rows, end = play(graph, lengths={"a": 0})

    assert {"a": "S", "u": "K", "t": "K", "z": "K"} == rows
    assert "success" == end.state


def test_a_skipped_instance_of_a_mapped_source_skips_its_consumer():
    graph = dag(task("m", "c", expansion=literal(3)), task("c", expansion=over("m")))
    rows, _ = play(graph, {"m[1]": "K"}, pushed={"m": 2})
    assert {"c": "K"}.items() <= rows.items()

    graph = dag(task("m", "c", expansion=literal(3)), task("c", expansion=over("m"), trigger_rule="all_done"))
    rows, _ = play(graph, {"m[1]": "F"}, pushed={"m": 2})
    assert {"c[0]": "S", "c[1]": "S"}.items() <= rows.items()
    assert "c[2]" not in rows
