"""Which trace a TaskRun belongs to, and what its runner is told of it: the rules of W3C Trace Context."""

import logging

import pytest
from doubles.taskruns import body
from doubles.turns import Life
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from airlock_operator.observe.taskrun import read
from airlock_operator.settings import Traces
from airlock_operator.traces.context import ATTEMPT, Parent, environment, parsed, span_id, trace_of, valid_state
from airlock_operator.traces.tracing import Tracing

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{SPAN}-01"
OFF, ON = Traces(), Traces(endpoint="http://collector:4318")


def asked(traceparent=None, tracestate=None, uid=None, **spec):
    found = body(**spec)
    given = {"airlock.dev/traceparent": traceparent, "airlock.dev/tracestate": tracestate}
    found["metadata"]["annotations"] = {name: text for name, text in given.items() if text is not None}
    found["metadata"]["uid"] = uid or found["metadata"]["uid"]
    return read(found)


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (GIVEN, True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"01-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", True),
    ],
)
def test_a_traceparent_is_read_with_its_sampled_flag(text, sampled):
    assert Parent(int(TRACE, 16), int(SPAN, 16), sampled) == parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-1",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"01-{TRACE}-{SPAN}-01.more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0x",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f" {GIVEN}",
        f"{GIVEN}\n",
    ],
)
def test_what_is_not_a_traceparent_is_not_read(text):
    assert None is parsed(text)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("vendor=value", True),
        ("a=1,b@c=2", True),
        ("a=1, b=2 ,,c=3", True),
        ("", False),
        (",", False),
        ("no-value", False),
        ("Upper=1", False),
        ("a=1,a=2", False),
        ("a=with,comma", False),
        ("a=\n", False),
        ("a=" + "x" * 600, False),
        (",".join(f"k{n}=1" for n in range(33)), False),
        (",".join(f"k{n}=1" for n in range(32)), True),
    ],
)
def test_a_tracestate_is_a_list_of_a_few_members(text, valid):
    assert valid is valid_state(text)


def test_without_tracing_the_runner_is_told_what_the_taskruns_maker_said():
    assert {"TRACEPARENT": GIVEN} == environment(asked(GIVEN), 1, OFF)
    assert {"TRACEPARENT": GIVEN, "TRACESTATE": "a=1"} == environment(asked(GIVEN, "a=1"), 1, OFF)


def test_without_tracing_and_without_a_maker_who_says_so_there_is_no_trace():
    assert {} == environment(asked(), 1, OFF)


def test_with_tracing_the_runner_goes_on_below_its_attempts_span():
    first, second = (environment(asked(GIVEN), number, ON)["TRACEPARENT"] for number in (1, 2))

    assert f"00-{TRACE}-{span_id(asked().uid, 1, ATTEMPT):016x}-01" == first
    assert f"00-{TRACE}-{span_id(asked().uid, 2, ATTEMPT):016x}-01" == second


def test_with_tracing_a_taskrun_of_nobodys_trace_has_its_own():
    told = environment(asked(), 1, ON)["TRACEPARENT"]

    assert (trace_of(asked(), ON).trace_id, True) == (parsed(told).trace_id, parsed(told).sampled)
    assert told != environment(asked(uid="another"), 1, ON)["TRACEPARENT"]


def test_a_maker_who_does_not_sample_is_passed_on_and_nothing_is_exported():
    unsampled = f"00-{TRACE}-{SPAN}-00"

    assert {"TRACEPARENT": unsampled} == environment(asked(unsampled), 1, ON)
    assert False is trace_of(asked(unsampled), ON).sampled


def test_a_maker_who_samples_is_followed_whatever_the_ratio():
    assert True is trace_of(asked(GIVEN), Traces(endpoint="http://c", ratio=0.0)).sampled


def test_a_trace_that_the_ratio_leaves_out_tells_user_code_not_to_sample():
    told = environment(asked(), 1, Traces(endpoint="http://c", ratio=0.0))["TRACEPARENT"]

    assert "00" == told[-2:]


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
def test_the_ratio_is_kept_by_the_rule_of_the_sdk(ratio):
    theirs, settings = TraceIdRatioBased(ratio), Traces(endpoint="http://c", ratio=ratio)
    traces = [trace_of(asked(uid=f"uid-{n}"), settings) for n in range(2000)]

    expected = [theirs.should_sample(None, t.trace_id, "x").decision is Decision.RECORD_AND_SAMPLE for t in traces]
    assert expected == [trace.sampled for trace in traces]
    assert abs(sum(expected) / 2000 - ratio) < 0.05


def test_what_airflow_gives_a_task_instance_counts_where_no_annotation_does():
    secret = {"token": "Secret", "contextCarrier": {"traceparent": GIVEN, "tracestate": "a=1"}}
    other = GIVEN.replace("b7", "c7")

    assert {"TRACEPARENT": GIVEN, "TRACESTATE": "a=1"} == environment(asked(**secret), 1, OFF)
    assert {"TRACEPARENT": other} == environment(asked(other, **secret), 1, OFF)


def test_a_bad_tracestate_is_left_out_and_the_traceparent_stays():
    assert {"TRACEPARENT": GIVEN} == environment(asked(GIVEN, "Bad"), 1, OFF)


def lived(annotations, settings=OFF, **spec):
    found = body(**spec)
    found["metadata"]["annotations"] = annotations
    life = Life(found, tracing=Tracing(settings))
    life.turns()
    containers = life.cluster.pods["hello-1"]["spec"]
    return life, {each["name"]: each.get("value") for each in containers["containers"][0]["env"]}, containers


def test_the_pods_runner_has_the_variables_and_its_sidecar_has_not():
    _, env, spec = lived({"airlock.dev/traceparent": GIVEN, "airlock.dev/tracestate": "a=1"})

    assert (GIVEN, "a=1") == (env["TRACEPARENT"], env["TRACESTATE"])
    assert [] == [each for each in spec["initContainers"][0]["env"] if each["name"].startswith("TRACE")]


def test_a_variable_of_the_author_wins():
    _, _, spec = lived({"airlock.dev/traceparent": GIVEN}, pod={"env": [{"name": "TRACEPARENT", "value": "mine"}]})
    named = [each["value"] for each in spec["containers"][0]["env"] if each["name"] == "TRACEPARENT"]

    assert ["mine"] == named


def test_a_bad_traceparent_is_ignored_with_one_warning(caplog):
    life, env, _ = lived({"airlock.dev/traceparent": "$(PATH)"})
    for _ in range(5):
        life.wait(60)
    warned = [each for each in caplog.records if each.levelno == logging.WARNING]

    assert "TRACEPARENT" not in env
    assert [["traceparent"]] == [each.ignored for each in warned]
    assert "PATH" not in caplog.text
