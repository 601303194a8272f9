"""
What a run's task instances become is what Airflow's scheduler makes of them: DAGs and states by chance, several hundred.

Airflow decides with its own models on SQLite, pass after pass until nothing changes. We decide once.
"""

import json
import random
from pathlib import Path

import pytest
from doubles.dag_runs import apply, replace, snapshot

from airlock_server.rules.scheduling import rows
from airlock_server.rules.scheduling.board import Board
from airlock_server.rules.scheduling.decide import decide
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.snapshot import Instance, Key, Run, SkipRecord
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.group import SerializedGroup
from airlock_wire.dags.mapping import Argument, Expansion, Literally, XComSource
from airlock_wire.dags.task import SerializedTask
from airlock_wire.dags.words import TriggerRule
from airlock_wire.states import TaskInstanceState as S

DRIVER = Path(__file__).parent / "drivers/decisions.py"
RULES = [rule.value for rule in TriggerRule]
#: An unfinished instance is a deferred one: Airflow also looks at those that run, and ends them if their upstream says so,
#: before it calls a run deadlocked. We leave them alone.
STATES = (
    ["success"] * 6 + ["failed", "skipped"] * 2 + ["upstream_failed", "removed", "deferred", "none", "none", "none"]
)
CASES = 500


def make_case(number):
    """A DAG with states, as plain data for both sides."""
    chance = random.Random(number)
    count = chance.randint(3, 6)
    groups = chance.choice([[], [], *[shape(chance) for _ in range(3)]])
    tasks = []
    for index in range(count):
        tasks.append(new_task(chance, index, groups, tasks))
    with_setup = chance.random() < 0.35
    if with_setup:
        tasks[0].update(setup=True, rule="all_success")
        tasks[-1].update(teardown=True, rule="all_success", branch=False, counts=chance.random() < 0.5, over=None)
        tasks[-1]["group"] = tasks[0]["group"]
    for before, task in enumerate(tasks):
        later = tasks[before + 1 :]
        task["downstream"] = [after["id"] for after in later if chance.random() < 0.45]
    if with_setup and tasks[-1]["id"] not in tasks[0]["downstream"]:
        tasks[0]["downstream"].append(tasks[-1]["id"])
    for task in tasks:
        sources = {task["over"], *(group["over"] for group in groups if group["id"] in around(task["group"], groups))}
        for source in tasks:
            if source["id"] in sources and task["id"] not in source["downstream"]:
                source["downstream"].append(task["id"])
    below_setup = {after for task in tasks if task["setup"] for after in task["downstream"]}
    for task in tasks:
        if task["id"] in below_setup:
            task["rule"] = "all_success"
    case = {"groups": groups, "tasks": tasks, "states": [], "lengths": {}, "pushed": {}, "records": []}
    for task in tasks:
        add_states(chance, case, task)
    return case


def shape(chance):
    """Groups: one mapped over a list, one mapped over a task's value, a group in a mapped one, a mapped one in another."""
    outer = {"id": "g", "parent": None, "over": chance.choice([1, 2, 3, "t0"])}
    inner = {"id": "h", "parent": "g", "over": chance.choice([None, 2])}
    return [outer] if chance.random() < 0.6 or outer["over"] == "t0" else [outer, inner]


def around(group_id, groups):
    by_id, ids = {group["id"]: group for group in groups}, []
    while group_id is not None:
        ids.append(group_id)
        group_id = by_id[group_id]["parent"]
    return ids


def new_task(chance, index, groups, earlier):
    fed = any(group["over"] == "t0" for group in groups)
    group = None if index == 0 and fed else chance.choice([None, *[group["id"] for group in groups]])
    # Airflow does not find the length of a task that is only mapped by its group. We count its values.
    outside = [each["id"] for each in earlier if each["group"] is None]
    over = chance.choice([None, None, None, None, 2, 3, chance.choice(outside) if outside else None])
    if group is not None or (index == 0 and fed):
        over = None
    # In a mapped group a branch decides for its own index; Airflow forgets to look.
    branch = over is None and group is None and chance.random() < 0.25
    rule = chance.choice(["all_success", "all_success", *RULES])
    if rule in {"always", "all_done_setup_success"} and (group is not None or over is not None):
        rule = "all_done"
    return {
        "id": f"t{index}", "rule": rule, "group": group, "over": over, "branch": branch, "setup": False, "teardown": False,
        "counts": False, "downstream": [],
    }  # fmt: skip


def literal(task, case):
    """How many instances the file gives a task: None for one that is not mapped, 0 where a value decides."""
    mapped = [group["over"] for group in case["groups"] if group["id"] in around(task["group"], case["groups"])]
    sizes = [size for size in [*mapped, task["over"]] if size is not None]
    if not sizes:
        return None
    total = 1
    for size in sizes:
        total *= 0 if isinstance(size, str) else size
    return total


def add_states(chance, case, task):
    size = literal(task, case)
    feeds = task["id"] in {each["over"] for each in [*case["tasks"], *case["groups"]]}
    indexes = [-1] if size is None else list(range(size))
    states = [chance.choice(STATES) for _ in indexes]
    if size == 0:
        return
    if feeds and size is None:
        states = [chance.choice(["success", "success", "success", "failed", "skipped", "none"])]
        if states == ["success"]:
            case["lengths"][task["id"]] = chance.randint(0, 3)
    if feeds and size is not None:
        case["pushed"][task["id"]] = states.count("success")
    for index, state in zip(indexes, states, strict=True):
        case["states"].append([task["id"], index, state])
        if task["branch"] and state == "success":
            followed = [after for after in task["downstream"] if chance.random() < 0.5]
            case["records"].append([task["id"], index, {"followed": followed}])


def expansion(over):
    if over is None:
        return None
    source = Literally(length=over) if isinstance(over, int) else XComSource(task_id=over)
    return Expansion(arguments=[Argument(name="value", source=source)])


def our_dag(case):
    tasks = [
        SerializedTask(
            task_id=task["id"],
            trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS if task["teardown"] else TriggerRule(task["rule"]),
            group_id=task["group"],
            expansion=expansion(task["over"]),
            can_skip=task["branch"],
            is_setup=task["setup"],
            is_teardown=task["teardown"],
            on_failure_fail_dagrun=task["counts"],
            downstream_task_ids=sorted(task["downstream"]),
        )
        for task in case["tasks"]
    ]
    groups = [
        SerializedGroup(group_id=group["id"], parent_group_id=group["parent"], expansion=expansion(group["over"]))
        for group in case["groups"]
    ]
    return SerializedDag(dag_id="d", tasks=tasks, groups=groups)


def our_rows(dag, case):
    graph = DagGraph(dag)
    by_key = {each.key: each for each in rows.missing(graph, Board(graph, []), Run(run_id="r"))}
    for task_id, index, state in case["states"]:
        by_key.pop(Key(task_id), None) if index >= 0 else None
        by_key[Key(task_id, index)] = replace(
            by_key.get(Key(task_id, index)) or Instance(task_id=task_id, map_index=index), state=S(state)
        )
    return list(by_key.values())


def our_answer(case):
    dag = our_dag(case)
    instances = our_rows(dag, case)
    records = {
        Key(task_id, index): SkipRecord(followed=frozenset(value["followed"]))
        for task_id, index, value in case["records"]
    }
    changes = decide(
        snapshot(dag, instances, complete=True, lengths=case["lengths"], pushed=case["pushed"], skip_records=records)
    )
    after = apply(instances, changes)
    queued = {each.key for each in changes.starts}
    states = {f"{row.task_id}[{row.map_index}]": "scheduled" if row.key in queued else row.state.value for row in after}
    return {"states": states, "run": "running" if changes.end is None else changes.end.state}


@pytest.fixture(scope="module")
def answers(run_driver):
    cases = [make_case(number) for number in range(CASES)]
    # Airflow logs on standard output too; the answer is the last line.
    *_, answer = run_driver(DRIVER, json.dumps(cases).encode()).splitlines()
    return list(zip(cases, json.loads(answer), strict=True))


def test_airflow_takes_nearly_every_case(answers):
    errors = {answer["error"] for _, answer in answers if "error" in answer}

    assert sum("error" not in answer for _, answer in answers) > 0.8 * CASES, errors


def test_a_run_becomes_what_it_becomes_in_airflow(answers):
    wrong = [
        (number, case, answer, our_answer(case))
        for number, (case, answer) in enumerate(answers)
        if "error" not in answer
    ]
    wrong = [each for each in wrong if each[2] != each[3]]

    assert [] == [number for number, *_ in wrong], json.dumps(wrong[:3], indent=1)
