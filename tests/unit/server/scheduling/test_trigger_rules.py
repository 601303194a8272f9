"""Trigger rules: the whole truth table of two tasks before one, as measured on Airflow 3.3.2."""

import pytest
from doubles.dag_runs import dag, outcome, task

PAIRS = [
    "SS",
    "SF",
    "SK",
    "SU",
    "SR",
    "S-",
    "FF",
    "FK",
    "FU",
    "FR",
    "F-",
    "KK",
    "KU",
    "KR",
    "K-",
    "UU",
    "UR",
    "U-",
    "RR",
    "R-",
    "--",
]
TABLE = {
    "all_success": "go uf sk uf go w uf uf uf uf uf sk uf sk sk uf uf uf go w w",
    "all_failed": "sk sk sk sk sk sk go sk go go w sk sk sk sk go go w go w w",
    "all_done": "go go go go go w go go go go w go go go w go go w go w w",
    "all_done_min_one_success": "go go sk go go w uf sk uf uf w sk sk sk sk uf uf w uf w w",
    "all_done_setup_success": "go go go go go w go go go go w go go go w go go w go w w",
    "one_success": "go go go go go go uf uf uf uf w sk uf uf w uf uf w uf w w",
    "one_failed": "sk go sk go sk w go go go go go sk go sk w go go go sk w w",
    "one_done": "go go go go go go go go go go go sk sk sk w sk sk w sk w w",
    "none_failed": "go uf go uf go w uf uf uf uf uf go uf go w uf uf uf go w w",
    "none_failed_min_one_success": "go uf go uf go w uf uf uf uf uf sk uf uf w uf uf uf uf w w",
    "none_skipped": "go go sk go go w go sk go go w sk sk sk sk go go w go w w",
    "all_skipped": "sk sk sk sk sk sk sk sk sk sk sk go sk w w sk sk sk w w w",
    "always": "go go go go go go go go go go go go go go go go go go go go go",
}
WORDS = {"go": "go", "sk": "K", "uf": "U", "w": None}
CASES = [
    (rule, pair, WORDS[cell]) for rule, row in TABLE.items() for pair, cell in zip(PAIRS, row.split(), strict=True)
]


@pytest.mark.parametrize(("rule", "pair", "expected"), CASES)
@pytest.mark.parametrize("turn", [slice(None), slice(None, None, -1)], ids=["as written", "turned"])
def test_a_rule_over_two_tasks_decides_as_airflow_does(rule, pair, expected, turn):
    a, b = pair[turn]
    graph = dag(task("a", "t"), task("b", "t"), task("t", trigger_rule=rule))

    assert expected == outcome(graph, {"a": a, "b": b, "t": "."}).get("t")


def test_every_rule_is_in_the_table():
    from airlock_wire.dags.words import TriggerRule

    assert {rule.value for rule in TriggerRule} == set(TABLE)


@pytest.mark.parametrize("rule", list(TABLE))
def test_a_task_with_nothing_before_it_runs_whatever_its_rule(rule):
    assert {"t": "go"} == outcome(dag(task("t", trigger_rule=rule)), {"t": "."})


@pytest.mark.parametrize(
    ("indexes", "expected"),
    [("SSR", {"t[2]": "R"}), ("SRR", {"t[1]": "R", "t[2]": "R"}), ("SSS", {}), ("RRR", {})],
)
def test_an_index_that_lost_its_counterpart_is_removed(indexes, expected):
    from doubles.dag_runs import literal

    graph = dag(task("m", "t", expansion=literal(3)), task("t", expansion=literal(3)))
    removed = {key: state for key, state in outcome(graph, {"m[]": indexes, "t[]": "..."}).items() if state == "R"}

    assert expected == removed
