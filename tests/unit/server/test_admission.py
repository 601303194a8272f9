"""Whether a pod may have a TaskRun's token, as tables of plain facts; over HTTP: tests/component/server/test_exchange.py."""

import base64
import json

import pytest

from airlock_server.exchange import pod_token
from airlock_server.exchange.admission import STATUS, Reason, Refusal, judge
from airlock_server.exchange.pod_token import NotAPod, Pod, Unusable
from airlock_server.kube.taskruns import Metadata, TaskRun
from airlock_server.launching.taskruns import closing
from airlock_server.rules.assets import NO_ASSETS, Pattern
from airlock_server.rules.attempts import Claim
from airlock_wire.assets import DeclaredAsset
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.pod import TOKEN_AUDIENCE
from airlock_wire.states import FINISHED, TaskInstanceState
from airlock_wire.taskrun import Access, Asset, PodRef, Spec, Status

POD = Pod("ns", "default", "job-2", "uid-2", "job", 2)
NOW = 1000.0


def run(spec=None, **status):
    return TaskRun(
        metadata=Metadata("job", "ns", "run-uid"),
        spec=Spec(**{"dag_id": "d", "task_id": "t"} | (spec or {})),
        status=Status(**{"pod_ref": PodRef("job-2", "uid-2"), "try_number": 3} | status),
    )


def test_every_reason_has_a_status():
    assert set(STATUS) == set(Reason)
    assert len(set(STATUS.values())) == len(STATUS)


def test_what_is_asked_of_the_store_is_the_taskruns():
    asked = judge(POD, run({"retries": 4, "map_index": 7, "conf": {"a": 1}}))

    assert isinstance(asked, Claim)
    assert TaskInstanceKey("d", "manual__run-uid", "t", 7) == asked.key
    assert (3, 4) == (asked.try_number, asked.max_tries)
    assert (2, "run-uid", {"a": 1}) == (asked.number, asked.taskrun_uid, asked.conf)


def test_the_store_is_told_which_assets_the_taskrun_lets_its_task_use():
    access = Access(asset_stores=("s3://x/*",), asset_events=("e",))
    spec = {"inlets": (Asset(type="AssetAlias", name="l"),), "outlets": (Asset(name="n"),), "access": access}
    declared = judge(POD, run(spec)).assets

    assert (DeclaredAsset(type="AssetAlias", name="l"),) == declared.inlets
    assert (DeclaredAsset(name="n"),) == declared.outlets
    assert (Pattern("state", "s3://x/*"), Pattern("outlet", "e")) == declared.patterns
    assert NO_ASSETS == judge(POD, run()).assets


@pytest.mark.parametrize("asset", [Asset(), Asset(type="AssetUriRef", name="n"), Asset(name="n" * 1501)])
def test_an_outlet_that_names_no_asset_is_refused_by_its_place(asset):
    refusal = judge(POD, run({"outlets": (Asset(name="n"), asset)}))

    assert Reason.DENIED == refusal.reason
    assert "spec.outlets[1]" in refusal.message


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        (None, Reason.NOT_YET_KNOWN),
        (PodRef(), Reason.NOT_YET_KNOWN),
        (PodRef("job-2", ""), Reason.NOT_YET_KNOWN),
        (PodRef("job-1", "uid-1"), Reason.NOT_YET_KNOWN),
        (PodRef("job-2", "another"), Reason.SUPERSEDED),
        (PodRef("job-3", "uid-3"), Reason.SUPERSEDED),
        (PodRef("job-x", "uid-2"), Reason.SUPERSEDED),
        (PodRef("another-1", "uid-2"), Reason.SUPERSEDED),
    ],
)
def test_only_the_pod_in_the_status_counts(ref, reason):
    verdict = judge(POD, run(pod_ref=ref))

    assert isinstance(verdict, Refusal)
    assert verdict.reason is reason


@pytest.mark.parametrize(
    "over",
    [
        None,
        run(finished_at="2026-01-01T00:00:00Z"),
        run(finished_at="2026-01-01T00:00:00Z", pod_ref=None),
        TaskRun(metadata=Metadata("job", "ns", "u", deletion_timestamp="x"), spec=Spec(dag_id="d", task_id="t")),
    ],
)
def test_what_is_over_is_final_even_where_no_pod_was_written_down(over):
    assert Reason.SUPERSEDED is judge(POD, over).reason


@pytest.mark.parametrize(
    "spec",
    [
        {"pod": {"serviceAccountName": "etl"}},
        {"task_instance_id": "x"},
        {"dag_id": ""},
        {"dag_id": "a/b"},
        {"task_id": ".."},
        {"run_id": "r" * 251},
    ],
)
def test_policy_denies(spec):
    verdict = judge(POD, run(spec))

    assert Reason.DENIED is verdict.reason
    assert "ns/job" in verdict.message


def token(payload, parts=3):
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    return ".".join(["h", body, "s", "x"][:parts])


GOOD = {"aud": ["airlock"], "exp": NOW + 1}


@pytest.mark.parametrize("payload", [GOOD, {**GOOD, "aud": "airlock"}, {**GOOD, "aud": ["x", "airlock"], "more": 1}])
def test_a_token_of_our_audience_with_time_left_is_worth_a_question(payload):
    pod_token.check(token(payload), TOKEN_AUDIENCE, NOW)


@pytest.mark.parametrize(
    "given",
    [
        token({**GOOD, "aud": "airlock2"}),
        token({**GOOD, "aud": []}),
        token({**GOOD, "exp": NOW}),
        token({"aud": "airlock"}),
        token({"exp": NOW + 1}),
        token([]),
        token(GOOD, parts=2),
        token(GOOD, parts=4),
        "",
        "..",
        "a.%%%.c",
        "a." + "A" * 20_000 + ".c",
        "a." + base64.urlsafe_b64encode(b"[" * 10_000).decode() + ".c",
    ],
)
def test_any_other_token_is_not(given):
    with pytest.raises(Unusable) as refused:
        pod_token.check(given, TOKEN_AUDIENCE, NOW)

    assert not given or given not in str(refused.value)


KEYS = ("authentication.kubernetes.io/pod-name", "authentication.kubernetes.io/pod-uid")


def test_a_pod_is_told_by_its_account_and_name():
    extra = dict(zip(KEYS, (["my-job-12"], ["u"]), strict=True))

    assert Pod("ns", "sa", "my-job-12", "u", "my-job", 12) == pod_token.pod_of("system:serviceaccount:ns:sa", extra)


@pytest.mark.parametrize(
    ("username", "name", "uid"),
    [
        ("admin", ["job-1"], ["u"]),
        ("system:serviceaccount:ns", ["job-1"], ["u"]),
        ("system:serviceaccount::sa", ["job-1"], ["u"]),
        ("system:serviceaccount:ns:sa", [], ["u"]),
        ("system:serviceaccount:ns:sa", ["job-1"], []),
        ("system:serviceaccount:ns:sa", ["job-1", "job-2"], ["u"]),
        ("system:serviceaccount:ns:sa", ["job"], ["u"]),
        ("system:serviceaccount:ns:sa", ["job-"], ["u"]),
        ("system:serviceaccount:ns:sa", ["job-00"], ["u"]),
        ("system:serviceaccount:ns:sa", ["job-٣"], ["u"]),
    ],
)
def test_nobody_else_is_a_pod_of_ours(username, name, uid):
    with pytest.raises(NotAPod):
        pod_token.pod_of(username, dict(zip(KEYS, (name, uid), strict=True)))


@pytest.mark.parametrize(
    ("row", "status", "state"),
    [
        (TaskInstanceState.RUNNING, None, TaskInstanceState.FAILED),
        (TaskInstanceState.QUEUED, None, TaskInstanceState.FAILED),
        (TaskInstanceState.UP_FOR_RETRY, None, TaskInstanceState.FAILED),
        (TaskInstanceState.RUNNING, Status(state="success"), TaskInstanceState.SUCCESS),
        (TaskInstanceState.RUNNING, Status(state="running"), TaskInstanceState.FAILED),
        (TaskInstanceState.RUNNING, Status(state="nonsense"), TaskInstanceState.FAILED),
        (TaskInstanceState.DEFERRED, Status(state="deferred"), None),
        (TaskInstanceState.DEFERRED, Status(state="failed"), TaskInstanceState.FAILED),
        (TaskInstanceState.SUCCESS, Status(state="failed"), None),
        (TaskInstanceState.FAILED, None, None),
    ],
)
def test_what_a_row_is_closed_with(row, status, state):
    assert closing.final_state(row, status) == state


@pytest.mark.parametrize("row", TaskInstanceState)
def test_a_gone_taskrun_leaves_no_row_open(row):
    assert (closing.final_state(row, None) is None) == (row in FINISHED)
