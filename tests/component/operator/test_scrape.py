"""The operator's metrics, asked for over HTTP as a Prometheus does."""

import asyncio

from airlock_operator.decide.slots import Limits, Slots
from airlock_operator.kube.handlers import Heard
from airlock_operator.kube.leadership import Leadership
from airlock_operator.metrics import FAMILIES, PREFIX, Metrics
from airlock_operator.observe.sightings import Key, Sightings
from airlock_operator.process import Process
from airlock_operator.scrape import Scrape
from airlock_operator.settings import OperatorSettings
from airlock_operator.upstream.client import Addresses, Client
from airlock_operator.workqueue import WorkQueue
from airlock_wire.process import scrape


async def asked(port, request):
    """The answer; nothing if the connection was closed at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def parts(taskruns, *, leader):
    sightings, leadership = Sightings(), Leadership(None, "n", "l", "me", 15.0)
    leadership.held = leader
    for n in range(taskruns):
        meta = {"namespace": "n", "name": f"x{n}", "uid": f"u{n}", "resourceVersion": "1"}
        status = {"state": "running", "reason": "Running"}
        sightings.saw_run({"apiVersion": "a", "kind": "k", "metadata": meta, "status": status})
    queue = WorkQueue(asyncio.get_running_loop().time)
    client = Client(Addresses(), lambda: None)
    return Scrape(Metrics(), sightings, queue, Slots(Limits()), Heard(), leadership, client)


async def scraped(taskruns, request=b"GET /metrics HTTP/1.1\r\n\r\n", *, leader=True):
    server = await scrape.serve(0, parts(taskruns, leader=leader).text, "127.0.0.1")
    try:
        return (await asked(server.sockets[0].getsockname()[1], request)).decode()
    finally:
        server.close()


def test_a_scrape_says_how_many_taskruns_are_in_which_state():
    answer = asyncio.run(scraped(3))

    assert answer.startswith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")
    assert 'airlock_operator_taskruns{reason="Running",state="running"} 3.0' in answer
    assert "\nairlock_operator_leader 1.0\n" in answer
    assert "\nprocess_cpu_seconds_total " in answer


def test_only_a_leader_says_how_old_its_watch_is():
    assert "watch_age_seconds{" in asyncio.run(scraped(0))
    assert "watch_age_seconds{" not in asyncio.run(scraped(0, leader=False))


def test_nothing_else_is_served_there():
    for request in (b"GET / HTTP/1.1\r\n\r\n", b"POST /metrics HTTP/1.1\r\n\r\n", b"GET /metricsx HTTP/1.1\r\n\r\n"):
        assert asyncio.run(scraped(0, request)).startswith("HTTP/1.1 404 ")


def test_an_operators_own_parts_are_what_is_scraped():
    async def go():
        process = Process(OperatorSettings())
        process._queue.add(Key("n", "x"), 60.0)
        process._metrics.event("posted")
        return (await process._scrape.text()).decode()

    text = asyncio.run(go())
    told = [name for name in (f"{PREFIX}_{each.name}" for each in FAMILIES) if f"# HELP {name} " not in text]

    assert [] == told
    assert "\nairlock_operator_workqueue_adds_total 1.0\n" in text
    assert 'airlock_operator_events_total{outcome="posted"} 1.0' in text


def test_a_port_of_0_serves_no_metrics():
    async def go():
        return await parts(0, leader=True).serve(0)

    assert None is asyncio.run(go())


def test_connections_that_say_nothing_do_not_keep_a_later_scrape_out_for_ever(monkeypatch):
    monkeypatch.setattr(scrape, "_READ_SECONDS", 0.2)

    async def go():
        server = await scrape.serve(0, parts(0, leader=True).text, "127.0.0.1")
        port = server.sockets[0].getsockname()[1]
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(scrape.MAX_SCRAPES)]
        await asyncio.sleep(0.05)
        refused = await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.4)
        answered = await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        for _, writer in silent:
            writer.close()
            await writer.wait_closed()
        server.close()
        return refused, answered[:15]

    assert (b"", b"HTTP/1.1 200 OK") == asyncio.run(go())
