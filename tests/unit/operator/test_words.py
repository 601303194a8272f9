"""The small tables: reasons, advice, durations, refusals, strays, events."""

import json

import msgspec
import pytest
from doubles.taskruns import NOW, RUNNING, UID, ended, open_attempt, pod, run, waiting

from airlock_operator.decide import ending
from airlock_operator.durations import seconds, shown
from airlock_operator.kube import errors
from airlock_operator.observe.complaints import About, Complaint
from airlock_operator.observe.taskrun import read
from airlock_operator.reasons import Kind, Reason
from airlock_operator.reconciler import grace_seconds, refusal_of, strays
from airlock_operator.status import events
from airlock_wire import record
from airlock_wire.taskrun import Status


def test_a_reason_that_ends_a_taskrun_says_in_which_state():
    assert {Kind.OVER} == {reason.kind for reason in Reason if reason.state}
    assert [] == [reason for reason in Reason if reason.kind is Kind.OVER and not reason.state]


@pytest.mark.parametrize("recorded", sorted(set(record.Reason) - ending._CUT_SHORT))
def test_what_a_record_decides_alone_is_a_reason_of_the_same_name(recorded):
    assert recorded.name == Reason(recorded.value).name


@pytest.mark.parametrize("reason", [r for r in Reason if r.kind is Kind.WAITS and r not in (
    Reason.PENDING, Reason.STARTING, Reason.PULLING, Reason.RUNNING, Reason.STOPPING, Reason.WAITING_FOR_RETRY, Reason.SCHEDULING_GATED,
)])  # fmt: skip
def test_every_reason_that_holds_a_taskrun_up_says_what_to_do(reason):
    assert reason.advice


@pytest.mark.parametrize(
    ("text", "value"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("250ms", 0.25), ("1.5s", 1.5), ("0s", 0)]
)
def test_durations_are_gos(text, value):
    assert value == seconds(text)


@pytest.mark.parametrize("text", ["", "10", "ten", "5d", "1h 5m", "-1s"])
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="90s"):
        seconds(text)


@pytest.mark.parametrize(
    "field",
    [
        "pendingTimeout", "imagePullTimeout", "gracePeriod", "retryDelay", "executionTimeout", "ttlAfterSuccess",
        "ttlAfterFailure",
    ],
)  # fmt: skip
def test_every_duration_of_a_spec_is_read_once_and_a_wrong_one_is_said(field):
    """The CRD of another version may let in what this operator cannot read."""
    meta = {
        "namespace": "n",
        "name": "r",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }

    def durations(text):
        return read({"metadata": meta, "spec": {"dagId": "d", "taskId": "t", field: text}}).durations

    assert 90.0 in msgspec.structs.astuple(durations("90s"))
    with pytest.raises(ValueError, match="'soon' is not a duration"):
        durations("soon")


@pytest.mark.parametrize(("value", "text"), [(0.4, "0.40s"), (42, "42s"), (185, "3m5s"), (7800, "2h10m")])
def test_durations_are_shown_for_people(value, text):
    assert text == shown(value)


@pytest.mark.parametrize(
    ("status", "message", "reason", "final"),
    [
        (403, 'pods "x" is forbidden: exceeded quota: small', Reason.QUOTA_EXCEEDED, False),
        (403, "ValidatingAdmissionPolicy 'airlock-pods' denied request", Reason.FORBIDDEN, False),
        (401, "Unauthorized", Reason.FORBIDDEN, False),
        (422, 'Pod "x" is invalid', Reason.INVALID_POD, True),
        (400, "strict decoding error", Reason.INVALID_POD, True),
        (429, "too many requests", Reason.API_BUSY, False),
        (500, "etcd", Reason.API_BUSY, False),
        (0, "no answer", Reason.API_BUSY, False),
    ],
)
def test_a_no_to_a_pod_is_told_apart_by_who_says_it(status, message, reason, final):
    error = errors.of_answer(status, json.dumps({"message": message})) if status else errors.Busy(0, message)
    found = refusal_of(error, NOW)

    assert (reason, final, message) == (found.reason, found.final, found.message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"kind":"Status","message":"etcd is slow","code":429}', "etcd is slow"),
        (
            "Too many requests, please try again later.\n",
            "the API server answers 429: Too many requests, please try again later.",
        ),
        ("<html>\n <body>busy", "the API server answers 429: <html> <body>busy"),
        ("{}", "the API server answers 429: {}"),
        ('{"reason":"Slow","message":""}', 'the API server answers 429: {"reason":"Slow","message":""}'),
        ("[1]", "the API server answers 429: [1]"),
        ("", "the API server answers 429"),
    ],
)
def test_a_refusal_in_plain_text_says_who_gave_it(body, message):
    error = errors.of_answer(429, body, "7")

    assert (errors.Busy, message, 7.0) == (type(error), str(error), error.retry_after)


@pytest.mark.parametrize(
    ("facts", "seconds"),
    [
        ({"runner": RUNNING}, None),
        ({"runner": ended()}, 30),
        ({"runner": waiting("ContainerCreating")}, None),
        ({"runner": waiting("ImagePullBackOff")}, 5),
        ({"sidecar": waiting("CreateContainerConfigError")}, 5),
        ({"runner": RUNNING, "sidecar": waiting("ImagePullBackOff")}, None),
    ],
)
def test_a_pod_whose_runner_cannot_be_made_need_not_end_in_order(facts, seconds):
    assert seconds == grace_seconds(pod(**facts))
    assert None is grace_seconds(None)


@pytest.mark.parametrize(
    ("about", "seconds"), [(About.IMAGE, 5), (About.CONFIG, 5), (About.VOLUME, None), (About.OTHER, None)]
)
def test_nor_one_whose_kubelet_says_so(about, seconds):
    complained = msgspec.structs.replace(pod(), complaint=Complaint(about, "x"))

    assert seconds == grace_seconds(complained)


def test_a_live_pod_of_an_attempt_that_no_longer_counts_is_a_stray():
    second = run(status=open_attempt(2, podRef={"name": "hello-2", "uid": "u2"}))
    old = pod(attempt=1, uid="u1", runner=RUNNING)

    assert [old] == strays(second, [old, pod(attempt=2, uid="u2", runner=RUNNING)])
    assert [] == strays(second, [pod(attempt=1, uid="u1", runner=ended())])
    assert [] == strays(second, [pod(attempt=1, uid="u1", runner=RUNNING, owner="somebody else")])
    assert ["u9"] == [p.uid for p in strays(second, [pod(attempt=2, uid="u9", runner=RUNNING)])]


def test_each_new_reason_is_an_event_and_the_same_reason_is_none():
    before = run(status=open_attempt(reason="Starting"))
    made = events.of_change(before, Status(attempt=1, reason="Unschedulable", message="0/1 nodes"), "airlock-operator")

    assert [("Warning", "Unschedulable", "0/1 nodes", UID)] == [
        (e["type"], e["reason"], e["message"], e["involvedObject"]["uid"]) for e in made
    ]
    assert [] == events.of_change(before, Status(attempt=1, reason="Starting"), "airlock-operator")
