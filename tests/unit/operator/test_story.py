"""The operator's log tells what was decided of a TaskRun: whole lives, read as lines."""

import json
import logging

import pytest
from doubles.taskruns import POD_UID, RUNNING, UID, body, ended, open_attempt, record, run, waiting
from doubles.turns import Life

from airlock_operator.decide.case import Answer
from airlock_operator.decide.slots import Limits
from airlock_operator.kube import errors
from airlock_operator.observe.sightings import Key
from airlock_operator.story import of_change
from airlock_wire.process.jsonlog import JsonFormatter
from airlock_wire.record import Reason
from airlock_wire.taskrun import PodRef, Status


@pytest.fixture
def lines(caplog):
    """The log's lines so far, as objects, in the operator's own format."""
    caplog.set_level(logging.INFO)
    return lambda: [json.loads(JsonFormatter().format(each)) for each in caplog.records]


def told(lines, *fields):
    return [(line["event"], *(line[field] for field in fields if field in line)) for line in lines]


def test_a_life_without_trouble_is_a_handful_of_lines(lines):
    life = Life(body())
    life.turns()
    life.pod(runner=RUNNING)
    life.pod(runner=ended(), record=record(Reason.SUCCEEDED), phase="Succeeded")

    assert [
        ("attempt begins",),
        ("pod created", "hello-1"),
        ("attempt running", "Running"),
        ("taskrun ended", "success", "Succeeded", "hello-1"),
    ] == told(lines(), "state", "reason", "pod")

    life.delete()

    assert ("taskrun gone", "success", "Succeeded") == told(lines(), "state", "reason")[-1]


def test_every_line_names_namespace_taskrun_uid_and_attempt(lines):
    life = Life(body(retries=1))
    life.turns()
    life.pod(runner=ended(1), record=record(Reason.CRASHED), phase="Failed")
    life.wait(5)
    life.pod(2, runner=ended(1), record=record(Reason.CRASHED), phase="Failed")
    life.delete()
    named = [(line["namespace"], line["taskrun"], line["uid"], line["attempt"]) for line in lines()]

    assert [("team", "hello", UID, 1)] * 3 + [("team", "hello", UID, 2)] * 4 == named


def test_a_look_that_changes_nothing_has_no_line(lines):
    life = Life(body())
    life.turns()
    life.pod(runner=RUNNING)
    before = len(lines())
    for _ in range(20):
        life.wait(60)

    assert before == len(lines())


def test_a_retry_says_which_budget_pays_and_how_much_of_it_is_used(lines):
    life = Life(body(retries=2, retryDelay="90s"))
    life.turns()
    life.pod(runner=ended(1), record=record(Reason.CRASHED), phase="Failed")

    line = lines()[-1]
    assert ("attempt ended", "Crashed", "retries", 1, 2) == tuple(
        line[field] for field in ("event", "reason", "budget", "used", "of")
    )
    assert line["next_attempt_at"] == life.status["nextAttemptAt"]


def test_what_the_platform_lost_is_paid_by_the_infra_budget(lines):
    life = Life(body(infraBudget=1))
    life.turns()
    life.pod(deleting=True, node="", phase="Failed")
    life.pod(2, deleting=True, node="", phase="Failed")

    assert [("attempt ended", "PodDeleted", "infra", 1, 1), ("taskrun ended", "InfraBudgetExhausted")] == [
        each
        for each in told(lines(), "reason", "budget", "used", "of")
        if each[0] in ("attempt ended", "taskrun ended")
    ]
    assert "PodDeleted" == lines()[-1]["attempt_reason"]


def test_a_pod_that_is_refused_for_minutes_is_one_line_with_the_refusal(lines):
    life = Life(body())
    life.cluster.refuses = errors.NotAllowed(403, "exceeded quota: small")
    for _ in range(10):
        life.wait(30)

    assert [("attempt begins",), ("reason changed", "QuotaExceeded", "Pending")] == told(lines(), "reason", "before")
    assert "exceeded quota: small" in lines()[-1]["said"]


def test_a_taskrun_that_waits_for_a_slot_says_so_once(lines):
    life = Life(body(), Limits(1))
    life.slots.expect(set())
    life.slots.note(Key("other", "first"), holds=True, waits=False)
    for _ in range(5):
        life.wait(60)

    assert [("reason changed", "Queued")] == told(lines(), "reason")
    assert "1" in lines()[-1]["said"]


def test_a_stop_is_one_line_when_the_pod_is_deleted_however_long_it_takes_to_end(lines):
    life = Life(body())
    life.turns()
    life.pod(runner=RUNNING)
    life.change(cancel=True)
    for _ in range(5):
        life.wait(15)

    assert [("pod deleted", "hello-1", "Cancelled")] == told(lines()[3:], "pod", "why")


def test_the_servers_answer_is_a_line_and_its_silence_is_one(lines):
    life = Life(body())
    life.server.answer = "no route to it"
    life.turns()
    life.pod(runner=RUNNING)
    life.pod(runner=ended(), sidecar=ended(1), phase="Failed")
    for _ in range(4):
        life.wait(10)
    asked = [line for line in lines() if line["event"] == "server asked"]

    assert [("silent", "uid-of-hello-1")] == [(line["answer"], line["pod_uid"]) for line in asked]
    assert "no route" not in json.dumps(asked)


def test_an_answer_is_told_with_the_state_and_not_with_its_message(lines):
    life = Life(body())
    life.server.answer = Answer("success", "a message of the task")
    life.turns()
    life.pod(runner=RUNNING)
    life.pod(runner=ended(), sidecar=ended(1), phase="Failed")

    assert [("server asked", "success")] == told(
        [line for line in lines() if line["event"] == "server asked"], "answer"
    )
    assert "success" == life.status["state"]


def test_what_user_code_says_is_in_no_line(lines):
    life = Life(body(retries=1, source={"inline": "password = 'hunter2'"}, conf={"key": "hunter2"}))
    life.turns()
    life.pod(runner=ended(1), record=record(Reason.FAILED, message="hunter2 is wrong"), phase="Failed")
    life.delete()

    assert (
        "hunter2"
        in life.cluster.pods["hello-1"]["status"]["initContainerStatuses"][0]["state"]["terminated"]["message"]
    )
    assert "hunter2" not in json.dumps(lines())


def test_a_deleted_taskrun_of_an_earlier_uid_is_gone_when_its_successor_is_seen(lines):
    life = Life(body())
    successor = body()
    successor["metadata"]["uid"] = "another"
    life.sightings.saw_run(life.cluster.put(successor))

    assert [("taskrun gone", UID)] == told(lines(), "uid")


STARTING = {"attempt": 1, "reason": "Starting", "state": "queued"}


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        ({}, Status(attempt=1, reason="Pending"), "attempt begins"),
        ({"attempt": 1}, Status(attempt=1, pod_ref=PodRef("hello-1", POD_UID), reason="Starting"), "pod created"),
        (STARTING, Status(attempt=1, reason="Running", started_at="2026-11-21T12:00:00Z"), "attempt running"),
        (STARTING, Status(attempt=1, reason="Unschedulable"), "reason changed"),
        (STARTING, Status(attempt=1, reason="Starting", message="it moved", node="n"), None),
        (STARTING, Status(attempt=1, reason="Starting", timeline={"podScheduled": 1.0}), None),
        (STARTING, Status(attempt=1, reason="Stopping", stopping="TimedOut"), None),
    ],
)
def test_a_status_has_the_line_of_what_is_new_in_it(before, after, event):
    line = of_change(run(status=before), after)

    assert event == (line.event if line is not None else None)


def test_a_server_that_is_away_and_answers_again_is_two_lines(lines):
    life = Life(body())
    life.turns()
    life.pod(runner=RUNNING)
    life.server.away_since = "the server has not answered for 30s"
    life.wait(1)
    life.server.away_since = ""
    life.wait(1)

    assert [("reason changed", "ServerAway", "Running"), ("reason changed", "Running", "ServerAway")] == told(
        lines()[3:], "reason", "before"
    )


def test_an_image_that_does_not_come_is_told_with_the_kubelets_words(lines):
    life = Life(body(status=open_attempt(podRef={"name": "hello-1", "uid": "uid-of-hello-1"})))
    life.pod(runner=waiting("ErrImagePull", "no such image: i"))

    assert [("reason changed", "ImagePull", "Starting")] == told(lines(), "reason", "before")
    assert "no such image: i" in lines()[0]["said"]
