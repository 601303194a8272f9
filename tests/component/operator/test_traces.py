"""Traces on their way to a collector: OTLP over HTTP by the official SDK, read by OpenTelemetry's own messages."""

import asyncio
import logging
import socket
import subprocess
import sys
import time

import pytest
from doubles.collector import serving
from doubles.taskruns import NOW, RUNNING, body, ended, record
from doubles.turns import Life
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from airlock_operator.settings import Traces
from airlock_operator.traces import export
from airlock_operator.traces.context import ATTEMPT, TASKRUN, span_id
from airlock_operator.traces.export import Exporter, address
from airlock_operator.traces.tracing import Tracing
from airlock_wire.record import Reason

UID = body()["metadata"]["uid"]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector():
    with serving() as served:
        yield served


@pytest.fixture
def closed_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def succeeds(life):
    life.turns()
    life.pod(runner=RUNNING)
    marks = {"listening": 1.0, "connected": 2.0, "running": 2.5, "started": 3.0, "terminal": 7.0, "ended": 8.0}
    begun = {name: NOW.timestamp() - 9 + at for name, at in marks.items()}
    life.pod(runner=ended(), record=record(Reason.SUCCEEDED, timeline=begun), phase="Succeeded")


def lived(settings, lives=1, traceparent=None, tracestate="", clock=time.monotonic, closes=True):
    """Lives of which each is traced; returns the seconds that the turns took, those of the end, and the exporter."""
    exporter = Exporter(settings, "operator-1", clock)
    began = time.monotonic()
    for n in range(lives):
        made = body()
        made["metadata"]["uid"] += f"-{n}" if n else ""
        if traceparent:
            made["metadata"]["annotations"] = {
                "airlock.dev/traceparent": traceparent,
                "airlock.dev/tracestate": tracestate,
            }
        life = Life(made, tracing=Tracing(settings, exporter.export))
        succeeds(life)
        assert "success" == life.status["state"]
    turned = time.monotonic()
    if closes:
        asyncio.run(exporter.close())
    return turned - began, time.monotonic() - turned, exporter


def test_a_taskrun_is_one_trace_with_a_span_for_itself_its_attempt_and_each_step(collector):
    lived(Traces(endpoint=collector.url))
    received = {span.name: span for span in collector.spans()}

    assert ["/v1/traces"] == collector.paths
    assert len(received) == len(collector.spans())
    assert {"d.t", "queued", "attempt 1", "start", "load", "run", "end"} <= set(received)
    assert 1 == len({span.trace_id for span in received.values()})
    own, attempt = received["d.t"], received["attempt 1"]
    assert (b"", span_id(UID, 0, TASKRUN)) == (own.parent_span_id, int.from_bytes(own.span_id))
    assert (own.span_id, span_id(UID, 1, ATTEMPT)) == (attempt.parent_span_id, int.from_bytes(attempt.span_id))
    assert own.span_id == received["queued"].parent_span_id
    steps = [span for name, span in received.items() if name in ("schedule", "start", "load", "run", "end")]
    assert {attempt.span_id} == {span.parent_span_id for span in steps}
    assert all(attempt.start_time_unix_nano <= s.start_time_unix_nano <= s.end_time_unix_nano for s in steps)


def test_it_says_whose_it_is_and_how_it_ended(collector):
    lived(Traces(endpoint=collector.url))
    resource = {each.key: each.value.string_value for each in collector.resources[0].resource.attributes}
    own = next(span for span in collector.spans() if span.name == "d.t")
    about = {each.key: each.value.string_value for each in own.attributes}

    assert ("airlock-operator", "operator-1") == (resource["service.name"], resource["service.instance.id"])
    assert ("team", "hello", "Succeeded") == tuple(
        about[name] for name in ("k8s.namespace.name", "airlock.taskrun.name", "airlock.reason")
    )
    assert Status.STATUS_CODE_ERROR != own.status.code


def test_it_belongs_to_the_trace_of_its_maker(collector):
    lived(Traces(endpoint=collector.url, ratio=0.0), traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="a=1")
    own = next(span for span in collector.spans() if span.name == "d.t")

    assert {TRACE} == {span.trace_id.hex() for span in collector.spans()}
    assert (SPAN, "a=1") == (own.parent_span_id.hex(), own.trace_state)


def test_a_maker_who_does_not_sample_has_nothing_exported(collector):
    lived(Traces(endpoint=collector.url), traceparent=f"00-{TRACE}-{SPAN}-00")

    assert [] == collector.paths


def test_another_operator_makes_the_same_ids(collector):
    lived(Traces(endpoint=collector.url))
    first = {(span.trace_id, span.span_id) for span in collector.spans()}
    collector.resources.clear()
    lived(Traces(endpoint=collector.url))

    assert first == {(span.trace_id, span.span_id) for span in collector.spans()}


def test_a_collector_that_is_not_there_costs_one_warning_and_no_time(closed_port, caplog):
    caplog.set_level(logging.INFO)
    settings = Traces(endpoint=f"http://127.0.0.1:{closed_port}", timeout_seconds=0.5)
    turned, at_the_end, _ = lived(settings, lives=50)
    warned = [each for each in caplog.records if each.levelno >= logging.WARNING]

    assert ["spans are lost"] == [each.message for each in warned]
    assert ("127.0.0.1", True) == (warned[0].collector, bool(warned[0].error))
    assert turned < 10
    assert at_the_end < 5


def test_a_warning_is_repeated_once_its_period_is_over(closed_port, caplog):
    now = [0.0]
    settings = Traces(endpoint=f"http://127.0.0.1:{closed_port}", timeout_seconds=0.2)
    *_, exporter = lived(settings, clock=lambda: now[0], closes=False)
    exporter._provider.force_flush()
    for period in (1.0, export.WARN_AGAIN_SECONDS):
        now[0] += period
        Life(body(), tracing=Tracing(settings, exporter.export)).delete()
        exporter._provider.force_flush()
    asyncio.run(exporter.close())
    told = [each.spans for each in caplog.records if each.message == "spans are lost"]

    # The second warning also counts what was lost since the first.
    assert 2 == len(told)
    assert 4 == told[1]


def test_a_collector_that_takes_a_connection_and_never_answers_delays_neither_turns_nor_the_end():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        settings = Traces(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=30.0)
        turned, at_the_end, _ = lived(settings, lives=50)

    assert turned < 5
    assert at_the_end < export._LAST_SECONDS + 1


def test_a_collector_that_refuses_is_warned_of_with_its_answer(collector, caplog):
    collector.status = 401
    lived(Traces(endpoint=collector.url))

    assert "401" in next(each.error for each in caplog.records if each.message == "spans are lost")


def test_what_does_not_fit_into_the_queue_is_lost_as_whole_traces(monkeypatch, collector, caplog):
    monkeypatch.setattr(export, "MOST_WAITING", 20)
    monkeypatch.setattr(export, "_BATCH", 20)
    monkeypatch.setattr(export, "_BATCH_SECONDS", 60.0)
    lived(Traces(endpoint=collector.url), lives=6)
    kept = {}
    for span in collector.spans():
        kept.setdefault(span.trace_id, []).append(span.name)

    assert 1 <= len(kept) < 6
    assert {1} == {names.count("d.t") for names in kept.values()}
    assert "the queue is full" in [getattr(each, "error", "") for each in caplog.records]


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("https://c/", "https://c/v1/traces"),
        ("https://c/otlp/v1/traces", "https://c/otlp/v1/traces"),
    ],
)
def test_an_endpoint_without_a_path_has_otlps_own(endpoint, url):
    assert url == address(endpoint)


@pytest.mark.parametrize(("endpoint", "loaded"), [("", "False"), ("http://127.0.0.1:9", "True")])
def test_the_sdk_is_loaded_only_where_an_endpoint_is_set(endpoint, loaded):
    code = (
        "import asyncio, sys\n"
        "from airlock_operator.process import Process\n"
        "from airlock_operator.settings import OperatorSettings, Traces\n"
        "async def go(): return Process(OperatorSettings(traces=Traces(endpoint=sys.argv[1])))\n"
        "asyncio.run(go())\n"
        "print('opentelemetry' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, endpoint], capture_output=True, text=True, check=True, timeout=60
    )

    assert loaded == done.stdout.strip()
