"""The server's metrics: what requests, exchanges and the database are counted as, and on which port they are served."""

import asyncio
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from airlock_server.api.app import App
from airlock_server.api.scrape import FRESH_SECONDS, Scrape
from airlock_server.api.services import Services
from airlock_server.kube.errors import ClusterError
from airlock_server.launching.taskruns.sweeper import Sweeper
from airlock_server.metrics import Metrics
from airlock_server.store.engine.observed import Observed
from airlock_server.store.errors import Unavailable


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def counted(api, db, metrics):
    """The served API, which is counted."""
    services = Services(db=Observed(db, metrics), tokens=api.tokens, encryption=api.encryption, observer=metrics)
    app = App(services, 1 << 20)
    answers = httpx.ASGITransport(app)
    return lambda method, path, **more: asyncio.run(_request(answers, method, path, **more))


async def _request(transport, method, path, **more):
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, **more)


def lines(metrics, name):
    text = metrics.text().decode()
    return {
        line.removeprefix("airlock_server_")
        for line in text.splitlines()
        if line.startswith(f"airlock_server_{name}{{")
    }


def test_a_request_is_counted_by_its_route_and_never_by_its_path(api, counted, metrics):
    ti_id = api.running()
    headers = api.own(ti_id)
    counted("PUT", f"/execution/task-instances/{ti_id}/heartbeat", json={"hostname": "host", "pid": 1}, headers=headers)
    counted("GET", "/execution/variables/a%2Fsecret", headers=headers)
    counted("GET", "/nowhere/else")
    counted("GET", "/healthz")

    assert {
        'requests_total{code="204",method="PUT",route="/execution/task-instances/{task_instance_id}/heartbeat"} 1.0',
        'requests_total{code="404",method="GET",route="/execution/variables/{variable_key:path}"} 1.0',
        'requests_total{code="404",method="GET",route="none"} 1.0',
        'requests_total{code="200",method="GET",route="/healthz"} 1.0',
    } == lines(metrics, "requests_total")
    assert "secret" not in metrics.text().decode()


def test_operations_of_the_database_are_timed_by_their_kind(api, counted, metrics):
    ti_id = api.running()
    counted(
        "PUT",
        f"/execution/task-instances/{ti_id}/heartbeat",
        json={"hostname": "host", "pid": 1},
        headers=api.own(ti_id),
    )

    assert 'database_operation_seconds_count{operation="write"} 1.0' in lines(
        metrics, "database_operation_seconds_count"
    )
    assert 'database_errors_total{operation="write"} 0.0' in lines(metrics, "database_errors_total")


class Away:
    """A database that takes nothing."""

    async def aread(self, work):
        raise Unavailable("away")


class Frozen:
    """A database that answers never."""

    async def aread(self, work):
        await asyncio.sleep(60)


def test_an_operation_that_the_database_did_not_take_is_an_error(metrics):
    with pytest.raises(Unavailable):
        asyncio.run(Observed(Away(), metrics).aread(None))

    assert 'database_errors_total{operation="read"} 1.0' in lines(metrics, "database_errors_total")


def test_a_scrape_counts_task_instances_and_tells_a_young_count_again(api, db, metrics):
    async def scraped():
        now = [0.0]
        scrape = Scrape(metrics, db, lambda: now[0])
        for state in ("queued", "running"):
            api.queue(state)
        first = await scrape.text()
        await asyncio.to_thread(api.queue, "later")
        second = await scrape.text()
        now[0] = FRESH_SECONDS
        return [
            b'task_instances{state="queued"} %d.0' % n in text
            for n, text in ((2, first), (2, second), (3, await scrape.text()))
        ]

    assert [True, True, True] == asyncio.run(scraped())


@pytest.mark.parametrize("database", [Away, Frozen])
def test_a_scrape_answers_without_the_database(metrics, monkeypatch, database):
    monkeypatch.setattr("airlock_server.api.scrape._LOOK_SECONDS", 0.1)
    text = asyncio.run(Scrape(metrics, database()).text())

    assert b"\nairlock_server_ready 0.0\n" in text


def test_exchanges_are_counted_by_their_outcome(make_cluster_api, kubernetes, metrics):
    api = make_cluster_api(observer=metrics)
    run = kubernetes.taskrun()
    codes = [api.exchange(token).status_code for token in (kubernetes.pod(run), "not-a-token", None)]

    assert [200, 401, 401] == codes
    assert {
        'exchanges_total{outcome="granted"} 1.0', 'exchanges_total{outcome="BadToken"} 2.0',
    } == lines(metrics, "exchanges_total")  # fmt: skip


def test_the_sweepers_searches_are_counted(client, db, metrics, monkeypatch):
    said = iter([3, ClusterError("away")])

    def look(_):
        found = next(said, 0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(Sweeper, "look", look)
    with Sweeper(client, db, 0.02, observer=metrics):
        ends = time.monotonic() + 10
        while 'sweeps_total{outcome="failed"} 1.0' not in lines(metrics, "sweeps_total"):
            assert time.monotonic() < ends
            time.sleep(0.02)

    assert b"\nairlock_server_swept_taskruns_total 3.0\n" in metrics.text()


def test_metrics_are_served_on_a_port_of_their_own_and_not_on_the_api(pod_server):
    port = free_port()
    pod_server.env |= {"AIRLOCK__METRICS__PORT": str(port), "AIRLOCK__METRICS__HOST": "127.0.0.1"}
    with pod_server.serving() as server:
        assert 404 == pod_server.get("/metrics").status_code
        scraped = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
        others = [
            httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10).status_code for path in ("/", "/execution/health")
        ]
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=20)

    assert (200, [404, 404], 0) == (scraped.status_code, others, server.returncode)
    assert "\nairlock_server_ready 1.0\n" in scraped.text
    assert 'airlock_server_requests_total{code="404",method="GET",route="none"} 1.0' in scraped.text


def test_a_port_for_metrics_that_is_taken_ends_the_server_with_a_reason(pod_server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        pod_server.env["AIRLOCK__METRICS__PORT"] = str(taken.getsockname()[1])
        with pod_server.serving() as server:
            out, _ = server.communicate(timeout=30)

    assert 1 == server.returncode
    assert "cannot listen" in out.splitlines()[-1]


def test_a_server_without_a_port_for_metrics_does_not_load_their_library():
    code = "import sys, airlock_server.cli.services.api_server, airlock_server.cli.local.tasks; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert "False" == done.stdout.strip()
