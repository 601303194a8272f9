"""A TaskRun in the trace of its maker: what user code is told, what a collector gets, and what the operator logs of it."""

import json
import time

import pytest
from doubles.collector import serving
from kube.operators import away, environment, lease_of_its_own, operator
from kube.taskruns import finished, logs, outcome, taskrun

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{SPAN}-01"
#: User code that says what it is told.
TELLS = 'print("trace:", os.environ.get("TRACEPARENT"), os.environ.get("TRACESTATE"))\n'
FAILS_ONCE = f'{TELLS}if ti.try_number == 1:\n    raise ValueError("once")\n'


def traced(name, code, **spec):
    made = taskrun(name, code, **spec)
    made["metadata"]["annotations"] = {"airlock.dev/traceparent": GIVEN, "airlock.dev/tracestate": "vendor=1"}
    return made


def told(team, pod):
    """What user code printed of its trace."""
    return next(str(line["event"]) for line in logs(team, pod) if "trace:" in str(line.get("event")))


def test_user_code_finds_the_trace_of_whoever_made_its_taskrun(team):
    team.apply(traced("continues", TELLS))

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "continues"))
    assert f"trace: {GIVEN} vendor=1" == told(team, "continues-1")


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_a_collector_gets_one_trace_and_the_log_tells_the_same_story(team, system, tmp_path):
    settings = lease_of_its_own(team, system) | {"AIRLOCK__TRACES__RATIO": "0"}
    with serving() as collector, away(system):
        env = environment(system, tmp_path, "traces", **settings, AIRLOCK__TRACES__ENDPOINT=collector.url)
        with operator(["-m", "airlock_operator"], env, tmp_path / "log"):
            team.apply(traced("traced", FAILS_ONCE, retries=1, retryDelay="1s"))
            team.apply(taskrun("untraced"))
            runs = {name: finished(team, name) for name in ("traced", "untraced")}
            said = [told(team, f"traced-{n}") for n in (1, 2)]
            ends = time.monotonic() + 15
            while not any(span.name.endswith(".work") for span in collector.spans()):
                assert time.monotonic() < ends, (tmp_path / "log").read_text()
                time.sleep(0.2)
    spans = {span.span_id.hex(): span for span in collector.spans()}
    own = next(span for span in spans.values() if span.name.endswith(".work"))
    attempts = [span for span in spans.values() if span.name.startswith("attempt")]

    assert ("success", "Succeeded", 2, 2) == outcome(runs["traced"])
    # The ratio leaves the other TaskRun out, and every span came once.
    assert {TRACE} == {span.trace_id.hex() for span in spans.values()}
    assert len(spans) == len(collector.spans())
    assert SPAN == own.parent_span_id.hex()
    assert {own.span_id} == {span.parent_span_id for span in attempts}
    assert [f"trace: 00-{TRACE}-{span.span_id.hex()}-01 vendor=1" for span in attempts] == said
    assert {"schedule", "start", "load", "run", "end"} <= {span.name for span in spans.values()}

    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    story = [(line["event"], line["attempt"]) for line in lines if line.get("taskrun") == "traced"]
    decided = ("attempt begins", "pod created", "attempt ended", "taskrun ended")
    assert [
        ("attempt begins", 1),
        ("pod created", 1),
        ("attempt ended", 1),
        ("attempt begins", 2),
        ("pod created", 2),
        ("taskrun ended", 2),
    ] == [each for each in story if each[0] in decided]
    assert {runs["traced"]["metadata"]["uid"]} == {line["uid"] for line in lines if line.get("taskrun") == "traced"}
