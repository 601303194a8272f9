"""What an answer to the exchange means, and whose task instance it may name."""

import msgspec
import pytest

from airlock_sidecar import errors
from airlock_sidecar.lifecycle import entering
from airlock_sidecar.settings import Sidecar
from airlock_sidecar.state.stops import Stop
from airlock_sidecar.upstream import retries
from airlock_sidecar.upstream.token_exchange import Step, foreign, step
from airlock_wire.protocol.messages import TaskInstance
from airlock_wire.workload import TaskInstanceRef

OURS = TaskInstance(id="", dag_id="d", task_id="t", run_id="r", try_number=2, map_index=-1, dag_version_id="")
NAMED = TaskInstanceRef(id="i", dag_id="d", task_id="t", run_id="r", try_number=2, map_index=-1, dag_version_id="v")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Step.TAKE),
        (401, Step.LATER),
        (403, Step.FINAL),
        (404, Step.FINAL),
        (409, Step.SOON),
        (410, Step.FINAL),
        (429, Step.LATER),
        (500, Step.LATER),
        (503, Step.LATER),
    ],
)
def test_the_step_after_an_answer(status, expected):
    assert expected is step(status)


def test_the_named_task_instance_is_ours():
    assert None is foreign(OURS, NAMED, None)
    assert None is foreign(OURS, NAMED, NAMED)


@pytest.mark.parametrize(
    "change", [{"dag_id": "x"}, {"task_id": "x"}, {"run_id": "x"}, {"try_number": 1}, {"map_index": 0}]
)
def test_another_task_instance_is_not(change):
    wrong = foreign(OURS, msgspec.structs.replace(NAMED, **change), None)

    assert isinstance(wrong, errors.Refused)
    assert next(iter(change)) in wrong.words


def test_the_same_one_under_another_id_means_that_the_launch_was_forgotten():
    assert isinstance(foreign(OURS, msgspec.structs.replace(NAMED, id="j"), NAMED), errors.Gone)


@pytest.mark.parametrize(
    ("error", "why", "message"),
    [
        (errors.Denied(403, {"reason": "Denied", "message": "the rule"}), Stop.DENIED, "the rule"),
        (errors.Denied(403, "Invalid auth token"), Stop.TOKEN_EXPIRED, ""),
        (errors.Denied(401, {"reason": "BadToken", "message": "m"}), Stop.TOKEN_EXPIRED, ""),
        (errors.Gone(410, {"reason": "Superseded", "message": "m"}), Stop.SUPERSEDED, ""),
        (errors.NotFound(404, {"reason": "not_found"}), Stop.SUPERSEDED, ""),
        (errors.Conflict(409, {"previous_state": "success"}), Stop.ALREADY_FINISHED, ""),
        (errors.Conflict(409, {"previous_state": "running"}), Stop.SUPERSEDED, ""),
        (errors.Refused(404, "Not Found"), Stop.REJECTED, "Not Found"),
    ],
)
def test_what_a_refusal_means_for_a_launch_that_has_not_begun(error, why, message):
    assert entering.refusal(error) == entering.Entered(None, why, message)


def test_a_pods_hostname_has_a_piece_of_its_uid():
    assert "job-1-01234567" == entering.hostname(Sidecar(pod_name="job-1", pod_uid="0123456789"))
    assert "job-1" == entering.hostname(Sidecar(pod_name="job-1"))
    assert "host" == entering.hostname(Sidecar(hostname="host"))


def test_what_is_expected_soon_is_asked_for_after_50_ms_and_at_most_every_second():
    assert 0.025 <= retries.soon(1) <= 0.05
    assert 0.5 <= retries.soon(9) <= 1.0
