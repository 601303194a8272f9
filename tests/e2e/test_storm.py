"""
The storm: 200 TaskRuns at once on one node whose processors are taken by others. Every one ends as the server says,
none runs twice, and none is failed by Airlock: also with the operator or the server away for minutes.

What was seen is printed: the reasons of the TaskRuns against the states of the server.
"""

import collections
import contextlib
import json
import os
import subprocess
import sys
import time

import pytest
from kube.taskruns import dag_id, over, status, taskrun
from kube.witness import query

COUNT = 200
LOOPS_PER_CORE = 4
pytestmark = [pytest.mark.soak, pytest.mark.alone, pytest.mark.timeout(3600)]

#: Long enough in the last two storms that most tasks begin before the trouble and end in it.
BODY = """
time.sleep({seconds})
ti.xcom_push(key="done", value=1)
return "done"
"""
#: How often each task was begun, and its state, by the server's own tables.
_STARTS = (
    "SELECT t.dag_id, t.state, (SELECT count(*) FROM state_write w WHERE w.ti_id = t.id AND w.to_state = 'running') "
    "FROM task_instance t"
)


@contextlib.contextmanager
def busy():
    """Loops that take every processor four times."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(LOOPS_PER_CORE * (os.cpu_count() or 1))
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def patiently(call, seconds=600):
    """What a call returns, which may fail or take its time while the API server has a sixth of a processor."""
    ends = time.monotonic() + seconds
    while True:
        try:
            return call()
        except (AssertionError, subprocess.TimeoutExpired):
            if time.monotonic() > ends:
                raise
            time.sleep(5)


def runs_of(team):
    return patiently(lambda: team.list("taskruns"))


def wait_for_all(team, seconds):
    ends = time.monotonic() + seconds
    while True:
        left = [run["metadata"]["name"] for run in runs_of(team) if not over(run)]
        if not left or time.monotonic() > ends:
            return left
        time.sleep(10)


def on_the_server(system):
    """State and number of starts of each task, by its DAG."""
    return {dag: (state, starts) for dag, state, starts in patiently(lambda: query(system, _STARTS))}


def some_began(team, names, count):
    """
    Waits until so many of them run; returns how many are over by then. The TaskRuns are asked: a look into the server's tables
    takes minutes on such a node, and by then all of them would be over.
    """
    ends = time.monotonic() + 900
    while True:
        # The namespace may have those of an earlier storm too.
        runs = [run for run in runs_of(team) if run["metadata"]["name"] in names]
        if sum(status(run).get("state") == "running" or over(run) for run in runs) >= count:
            return sum(map(over, runs))
        assert time.monotonic() < ends
        time.sleep(2)


def scaled(system, what, replicas):
    patiently(lambda: system("scale", f"deployment/{what}", f"--replicas={replicas}"))


def nothing(_system):
    pass


def operator_away(system):
    """The operator is killed in the middle, and away for ten minutes."""
    scaled(system, "airlock-operator", 0)
    system("delete", "pod", "-l", "app.kubernetes.io/component=operator", "--grace-period=0", "--force")
    time.sleep(600)
    scaled(system, "airlock-operator", 2)


def server_away(system):
    """The server is away for five minutes."""
    scaled(system, "airlock-server", 0)
    time.sleep(300)
    scaled(system, "airlock-server", 1)


@pytest.mark.parametrize("trouble", [nothing, operator_away, server_away], ids=lambda each: each.__name__)
def test_every_taskrun_of_a_storm_ends_as_the_server_says(team, system, hooks, trouble):
    names = [f"{trouble.__name__.replace('_', '-')}-{number}" for number in range(COUNT)]
    body = BODY.format(seconds=2 if trouble is nothing else 180)
    made = "\n---\n".join(json.dumps(taskrun(name, body, pendingTimeout="60m")) for name in names)
    with busy():
        began = time.monotonic()
        team("apply", "-f", "-", stdin=made, seconds=600)
        over_before = some_began(team, names, 20)
        trouble(system)
        left = wait_for_all(team, 2400)
        took = time.monotonic() - began
    seen = compare(team, system, names)
    print(f"\n{trouble.__name__}: {COUNT} TaskRuns in {took:.0f} s; {over_before} were over when it began")
    print(f"writes a TaskRun: {writes(hooks, team, names)}")
    for row, number in sorted(seen.items(), key=lambda item: -item[1]):
        print(f"{number:5}  {' | '.join(map(str, row))}")

    # Else the trouble would have come too late to prove anything.
    assert over_before < COUNT / 2
    assert [] == left
    assert {("success", "Succeeded", "success", 1): COUNT} == dict(seen)


def writes(hooks, team, names):
    """How many writes of each kind the operator made for one TaskRun, on average, by the audit log."""
    made = collections.Counter()
    for entry in hooks.audit_log():
        what = entry.get("objectRef", {})
        ours = what.get("namespace") == team.namespace and "airlock-operator" in entry["user"]["username"]
        if ours and entry["verb"] in ("create", "update", "delete") and named(entry, names):
            made[f"{entry['verb']} {what['resource']}"] += 1
    return {kind: round(count / len(names), 2) for kind, count in made.items()}


def named(entry, names):
    """Whether it is about one of these TaskRuns: by its name, by its pod's, or by that of an Event about it."""
    name = entry["objectRef"].get("name") or entry.get("requestObject", {}).get("metadata", {}).get("name", "")
    return any(name == each or name.startswith((f"{each}-", f"{each}.")) for each in names)


def compare(team, system, names):
    """How many TaskRuns there are of each state and reason, the server's state and the starts of user code."""
    server = on_the_server(system)
    runs = {run["metadata"]["name"]: status(run) for run in runs_of(team)}
    return collections.Counter(
        (runs[name].get("state"), runs[name].get("reason"), *server.get(dag_id(name), ("", 0))) for name in names
    )
