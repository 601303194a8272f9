"""A task that defers, is resumed, evicted and retried, behind a log store: one complete log for each try."""

import pytest
from kube.taskruns import outcome, said
from kube.witness import Witness

#: Alone, because the chart is told of the store for every namespace, and the store's key is in one only.
pytestmark = [pytest.mark.timeout(400), pytest.mark.alone]
PASSWORD = "open-sesame-42"


@pytest.fixture(scope="module")
def told(airflow, store, install):
    """The story after its end: the numbers of the lines that the witness knows of."""
    witness = Witness(airflow.team).start()
    airflow.ask("POST", "/connections", {"connection_id": "db", "conn_type": "generic", "password": PASSWORD})
    with install.told(**store.values):
        airflow.trigger("story", "once")
        airflow.until(lambda: len(airflow.taskruns("story")) == 2, 120, "second launch")
        evicted = airflow.taskruns("story")[1]["metadata"]["name"]
        airflow.until(lambda: lines(witness), 60, "line of the second launch")
        evict(airflow.team, f"{evicted}-1")
        airflow.until(lambda: airflow.team.get("taskrun", evicted)["status"].get("finishedAt"), 60, "eviction's end")
        noted, ends = lines(witness), airflow.ended("story", "once", 180)
        airflow.ended_taskruns("story")
    return noted, ends


def lines(witness):
    """The numbers of the lines that user code said it had printed."""
    mark = "noted /story/start/"
    return [int(line.removeprefix(mark)) for line in witness.lines() if line.startswith(mark)]


def evict(team, pod):
    """By the eviction API, as a drain does it."""
    path = f"/api/v1/namespaces/{team.namespace}/pods/{pod}/eviction"
    eviction = (
        f'{{"apiVersion":"policy/v1","kind":"Eviction","metadata":{{"name":"{pod}","namespace":"{team.namespace}"}}}}'
    )
    team("create", "--raw", path, "-f", "-", stdin=eviction)


def events(store, log):
    return [line["event"] for line in store.logs("story")[log]]


def test_airflow_decides_about_the_evicted_try(told, airflow):
    _, ended = told

    assert "success" == ended
    ends = [outcome(run)[1] for run in airflow.taskruns("story")]
    assert ["Deferred", "Evicted", "Deferred", "Succeeded"] == ends
    assert [1, 1, 2, 2] == [run["spec"]["tryNumber"] for run in airflow.taskruns("story")]


def test_each_try_has_one_log(told, store):
    assert {"attempt=1", "attempt=2"} == set(store.logs("story"))


def test_the_first_has_all_that_was_printed_before_and_after_the_deferral_up_to_the_eviction(told, store):
    noted, _ = told
    printed = [event for event in events(store, "attempt=1") if event.startswith(("before", "after", "line"))]

    assert ["before the deferral, by ***", "after the deferral, by ***"] == printed[:2]
    numbers = [int(event.removeprefix("line ")) for event in printed[2:]]
    # In order and without a gap; and all that it said it had printed is there.
    assert list(range(len(numbers))) == numbers
    assert max(noted) <= numbers[-1]


def test_the_second_has_its_own_from_the_beginning_to_the_last_line(told, store):
    printed = [
        event for event in events(store, "attempt=2") if event.startswith(("before", "after", "line", "the last"))
    ]

    assert ["before the deferral, by ***", "after the deferral, by ***", "the last line"] == printed


def test_the_password_is_in_no_log(told, store, airflow):
    last = airflow.taskruns("story")[-1]["metadata"]["name"]
    shown = said(airflow.team, f"{last}-1")

    assert "after the deferral, by ***" in shown
    everything = str(store.logs("story")) + airflow.team("logs", f"{last}-1", "--all-containers")
    assert "the last line" in everything
    assert PASSWORD not in everything
