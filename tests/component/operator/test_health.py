"""
The operator's probes. It is alive while its loop answers. It is ready once it knows the Lease and has listed everything.
"""

import asyncio
import json
import time

import pytest

from airlock_operator import process
from airlock_operator.kube import errors, handlers, health
from airlock_operator.kube.api import _WATCH_SECONDS
from airlock_operator.process import Process
from airlock_operator.settings import Operator, OperatorSettings


class Cluster:
    """An API server. ``lease`` is its answer about the Lease, ``lists`` its answer to a list."""

    def __init__(self, lease, lists=None):
        self._lease, self.lists = lease, lists

    async def lease(self, namespace, name):
        raise self._lease

    async def create_lease(self, namespace, body):
        if not isinstance(self._lease, errors.NotFound):
            raise errors.NotAllowed(403, "no")

    async def pages(self, *_):
        if self.lists is not None:
            raise self.lists
        yield []

    async def knows_taskruns(self, _namespace):
        if isinstance(self.lists, errors.NotFound):
            return False
        if self.lists is not None:
            raise self.lists
        return True

    async def versions(self, *_):
        if self.lists is not None:
            raise self.lists
        return [], 9


async def asked(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
    answer = (await asyncio.wait_for(reader.read(), 5)).decode()
    writer.close()
    return int(answer.split()[1]), json.loads(answer.partition("\r\n\r\n")[2])


class Probed:
    """One operator's probes, with its parts against a played API server."""

    def __init__(self, cluster, **settings):
        self.process = Process(OperatorSettings(operator=Operator(**settings)))
        self.process._cluster = self.process._leadership._cluster = self.process._relist._cluster = cluster

    async def __aenter__(self):
        self.server = await health.serve(0, self.process._health, self.process._waits_for, "127.0.0.1")
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def statuses(self):
        return {path: (await asked(self.port, path))[0] for path in ("/healthz", "/readyz", "/other")}

    async def waits_for(self):
        return (await asked(self.port, "/readyz"))[1]["waitsFor"]


@pytest.mark.parametrize("error", [errors.Busy(0, "away"), errors.NotAllowed(403, "no")])
def test_an_operator_that_knows_nothing_of_the_lease_is_alive_and_not_ready(error):
    async def go():
        async with Probed(Cluster(error)) as probed:
            await probed.process._leadership._try()
            return await probed.statuses(), await probed.waits_for()

    statuses, waits = asyncio.run(go())
    assert {"/healthz": 200, "/readyz": 503, "/other": 404} == statuses
    assert "Lease" in waits


def test_one_that_stands_by_is_ready_once_it_has_listed_and_says_that_it_does_not_lead():
    async def go():
        async with Probed(Cluster(errors.NotFound(404, "no Lease yet"))) as probed:
            await probed.process._leadership._try()
            before = await probed.waits_for()
            await probed.process._relist._until_it_works("everything", probed.process._relist.everything)
            return before, await asked(probed.port, "/readyz")

    before, (status, told) = asyncio.run(go())
    assert "TaskRuns and pods have not been listed yet" == before
    assert (200, False, "") == (status, told["leading"], told["waitsFor"])


def test_a_leader_is_ready_once_it_has_listed_everything():
    async def go():
        async with Probed(Cluster(errors.NotFound(404, "no Lease yet"))) as probed:
            await probed.process._leadership.acquire()
            before = await probed.statuses()
            await probed.process._relist._until_it_works("everything", probed.process._relist.everything)
            return before, await probed.statuses()

    before, after = asyncio.run(go())
    assert (503, 200) == (before["/readyz"], after["/readyz"])
    assert (200, 200) == (before["/healthz"], after["/healthz"])


def test_without_the_taskrun_resource_an_operator_is_alive_and_waits_for_it_before_it_leads(monkeypatch):
    monkeypatch.setattr(process, "_RESOURCE_SECONDS", 0.02)

    async def go():
        cluster = Cluster(errors.NotFound(404, "no"), errors.NotFound(404, "no such resource"))
        async with Probed(cluster) as probed:
            waiting = asyncio.ensure_future(probed.process._resource())
            await asyncio.sleep(0.1)
            before = await probed.statuses(), await probed.waits_for(), waiting.done()
            cluster.lists = errors.Busy(503, "away")
            await asyncio.sleep(0.1)
            cluster.lists = None
            await asyncio.wait_for(waiting, 5)
            return before, await probed.waits_for()

    (statuses, lacks, led), then = asyncio.run(go())
    assert (200, 503, False) == (statuses["/healthz"], statuses["/readyz"], led)
    assert "the TaskRun resource is not installed" == lacks
    assert "Lease" in then


def test_a_leader_whose_lists_fail_for_minutes_is_not_ready_until_one_succeeds():
    async def go():
        async with Probed(Cluster(errors.NotFound(404, "no")), relist_seconds=60.0) as probed:
            await probed.process._leadership.acquire()
            probed.process._relist.good_at = time.monotonic() - 60.0 * health.LISTS - 1
            late = await probed.statuses(), await probed.waits_for()
            await probed.process._relist._until_it_works("changes", probed.process._relist.changes)
            return late, await probed.statuses()

    (late, waits), after = asyncio.run(go())
    assert (200, 503, 200) == (late["/healthz"], late["/readyz"], after["/readyz"])
    assert "could not be listed for 301 s" == waits[-len("could not be listed for 301 s") :]


def test_a_loop_that_does_not_turn_answers_no_probe():
    async def go():
        async with Probed(Cluster(errors.Busy(0, "away"))) as probed:
            reader, writer = await asyncio.open_connection("127.0.0.1", probed.port)
            writer.write(b"GET /healthz HTTP/1.1\r\n\r\n")
            await writer.drain()
            began = time.monotonic()
            time.sleep(0.5)
            await asyncio.wait_for(reader.readline(), 5)
            writer.close()
            return time.monotonic() - began

    assert asyncio.run(go()) >= 0.5


def test_no_watch_is_silent_for_longer_than_its_bound():
    """kopf opens a watch anew that is silent for so long, bookmarks included; ours ends by itself."""
    assert handlers.kopf_settings().watching.inactivity_timeout <= 90
    assert _WATCH_SECONDS <= 300
