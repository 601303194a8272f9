"""What the operator counts, and how its metrics are named."""

import pytest
from prometheus_client import Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families

from airlock_operator.kube.api import verb_and_resource
from airlock_operator.metrics import FAMILIES, PREFIX, Metrics, Now, exhausted, steps
from airlock_operator.observe.sightings import Sightings
from airlock_operator.workqueue import WorkQueue
from airlock_wire.taskrun import Attempt, Status


def attempt(number, reason="Succeeded"):
    return Attempt(attempt=number, try_number=1, pod="p", node="n", reason=reason, message="", finished_at="t")


def series(metrics, now=None):
    """All series with their values; the values of labels stand in the order of the labels' names."""
    text = metrics.text(now or Now()).decode()
    return {
        (each.name.removeprefix(f"{PREFIX}_"), *(each.labels[name] for name in sorted(each.labels))): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_metric_is_named_by_prometheus_conventions(family):
    assert (family.kind is Counter) == family.name.endswith("_total")
    assert family.kind is not Histogram or family.name.endswith("_seconds")
    assert (family.kind is Histogram) == bool(family.buckets)
    assert family.help.endswith(".")
    assert not {"namespace", "name", "uid", "pod", "node", "message", "le"} & set(family.labels)


def test_an_attempt_is_counted_once_with_its_steps():
    metrics = Metrics()
    running = Status(attempt=1, state="running", reason="Running")
    over = Status(
        attempt=1, state="success", reason="Succeeded", finished_at="t", attempts=[attempt(1)],
        timeline={"admitted": 2.0, "podScheduled": 2.5, "finished": 5.0},
    )  # fmt: skip
    metrics.status_written(Status(), running)
    metrics.status_written(running, over)
    metrics.status_written(over, over)
    found = series(metrics)

    assert 1.0 == found["attempts_ended_total", "Succeeded"]
    assert 1.0 == found["taskruns_ended_total", "Succeeded", "success"]
    assert (1.0, 3.0) == (
        found["attempt_step_seconds_count", "finished"],
        found["attempt_step_seconds_sum", "finished"],
    )
    assert 0.5 == found["attempt_step_seconds_sum", "podScheduled"]


def test_a_rerun_is_counted_for_the_budget_that_paid():
    metrics = Metrics()
    lost = Status(attempt=1, infra_reruns=1, attempts=[attempt(1, "Evicted")])
    refused = Status(attempt=2, infra_reruns=1, token_reruns=1, attempts=[attempt(1), attempt(2, "TokenExpired")])
    metrics.status_written(Status(attempt=1), lost)
    metrics.status_written(lost, refused)
    found = series(metrics)

    assert (1.0, 1.0) == (found["reruns_total", "infra"], found["reruns_total", "token"])
    assert (1.0, 1.0) == (found["attempts_ended_total", "Evicted"], found["attempts_ended_total", "TokenExpired"])


@pytest.mark.parametrize(
    ("reason", "budget"),
    [("InfraBudgetExhausted", "infra"), ("TokenExpired", "token"), ("Failed", ""), ("Succeeded", ""), ("Another", "")],
)
def test_a_budget_is_exhausted_by_the_reason(reason, budget):
    assert budget == exhausted(Status(reason=reason))


def test_a_step_counts_from_the_begin_of_its_attempt():
    assert {"taskStarted": 1.5, "early": 0.0} == steps({"admitted": 10.0, "taskStarted": 11.5, "early": 9.0})


def test_only_the_wait_for_the_first_pod_is_a_queue_wait():
    metrics = Metrics()
    metrics.pod_made(1, 0.3)
    metrics.pod_made(2, 900.0)

    assert (1.0, 0.3) == (series(metrics)["queue_wait_seconds_count",], series(metrics)["queue_wait_seconds_sum",])


def test_a_state_that_nobody_has_any_more_has_no_series():
    metrics = Metrics()
    before = series(metrics, Now(taskruns={("queued", "Pending"): 3}))
    after = series(metrics, Now(taskruns={("running", "Running"): 2}))

    assert 3.0 == before["taskruns", "Pending", "queued"]
    assert {("taskruns", "Running", "running"): 2.0} == {name: n for name, n in after.items() if name[0] == "taskruns"}


def test_what_another_part_counts_is_a_counter_here():
    metrics = Metrics()
    found = [series(metrics, Now(lease_transitions=n))["lease_transitions_total",] for n in (4, 6, 6, 1)]

    assert [4.0, 6.0, 6.0, 7.0] == found


def test_two_operators_of_one_process_share_no_metric():
    mine, others = Metrics(), Metrics()
    mine.event("posted")

    assert 1.0 == series(mine)["events_total", "posted"]
    assert ("events_total", "posted") not in series(others)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/apis/airlock.dev/v1alpha1/namespaces/a/taskruns/b", ("get", "taskruns")),
        ("PUT", "/apis/airlock.dev/v1alpha1/namespaces/a/taskruns/b/status?x=1", ("update", "taskruns/status")),
        ("GET", "/apis/airlock.dev/v1alpha1/taskruns?limit=200", ("list", "taskruns")),
        ("GET", "/api/v1/namespaces/pods/pods?limit=200", ("list", "pods")),
        ("POST", "/api/v1/namespaces/a/pods?fieldValidation=Strict", ("create", "pods")),
        ("DELETE", "/api/v1/namespaces/a/pods/b", ("delete", "pods")),
        ("GET", "/api/v1/events?watch=true&timeoutSeconds=300", ("watch", "events")),
        ("POST", "/api/v1/namespaces/a/events", ("create", "events")),
        ("GET", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", ("get", "leases")),
        ("POST", "/apis/coordination.k8s.io/v1/namespaces/a/leases", ("create", "leases")),
    ],
)
def test_a_request_is_counted_without_any_name_of_an_object(method, path, expected):
    assert expected == verb_and_resource(method, path)


def test_the_queue_says_what_is_due_and_since_when():
    clock = [100.0]
    queue = WorkQueue(lambda: clock[0])
    queue.add_news("news")
    queue.add("later", 50.0)
    clock[0] = 103.0
    queue.add("look")

    assert (2, 3.0) == queue.waiting()
    assert (3, 0) == (queue.adds, queue.working)


def test_a_taskrun_that_is_over_is_still_counted():
    sightings = Sightings()
    meta = {"namespace": "n", "name": "x", "uid": "u", "resourceVersion": "1"}
    status = {"state": "success", "reason": "Succeeded"}
    key = sightings.saw_run({"apiVersion": "a", "kind": "k", "metadata": meta, "status": status})
    sightings.settle(key)

    assert (None, "success", "Succeeded") == sightings.runs[key][2:5]
