"""An operator that stands by sees everything, does nothing, and knows all TaskRuns when it takes over."""

import asyncio

import pytest
from doubles.taskruns import body, pod_body

from airlock_operator.kube import errors
from airlock_operator.observe.sightings import Key
from airlock_operator.process import Process
from airlock_operator.settings import Operator, OperatorSettings


class Cluster:
    """An API server with two TaskRuns and one pod, and without a Lease."""

    def __init__(self):
        self.metadata = []

    async def pages(self, _namespaces, plural, *_):
        yield [pod_body()] if plural == "pods" else [body(name="one"), body(name="two")]

    async def lease(self, *_):
        raise errors.NotFound(404, "no Lease yet")

    async def create_lease(self, *_):
        pass

    async def warnings(self, _namespace):
        yield {
            "involvedObject": {"uid": pod_body()["metadata"]["uid"]},
            "reason": "Failed",
            "type": "Warning",
            "message": "no such image",
            "lastTimestamp": "2026-11-30T12:00:00Z",
        }
        await asyncio.sleep(60)


def operator(**settings):
    process = Process(OperatorSettings(operator=Operator(**settings)))
    process._cluster = process._leadership._cluster = process._relist._cluster = Cluster()
    return process


async def heard(process):
    hearing = asyncio.ensure_future(process._hear(""))
    await asyncio.sleep(0.05)
    hearing.cancel()


def test_one_that_stands_by_has_seen_all_and_makes_nothing_due():
    async def go():
        process = operator()
        await process._relist.everything()
        await heard(process)
        process._enqueue(Key("team", "one"), 0.0)
        process._server_changed()
        return process

    process = asyncio.run(go())
    assert ({"one", "two"}, 1) == ({key.name for key in process._sightings.runs}, process._sightings.pod_count)
    assert (0, 0) == (len(process._queue), process._queue.adds)


@pytest.mark.parametrize("listed_first", [True, False], ids=["it has listed", "it lists still"])
def test_one_that_takes_over_looks_at_all_that_it_has_seen(listed_first):
    async def go():
        process = operator(max_active=1)
        if listed_first:
            await process._relist._until_it_works("everything", process._relist.everything)
        await process._leadership.acquire()
        process._take_over()
        between = len(process._queue)
        if not listed_first:
            await process._relist._until_it_works("everything", process._relist.everything)
        return between, process

    between, process = asyncio.run(go())
    assert (2 if listed_first else 0) == between
    assert {"one", "two"} == {key.name for key in process._unseen}
    # Nobody gets a slot before both were looked at.
    assert process._slots.ask(Key("team", "three"), 0, "")


def test_only_the_leader_tells_of_a_taskrun_that_is_gone(caplog):
    async def go():
        process = operator()
        await process._relist.everything()
        process._sightings.saw_run(body(name="one"), gone=True)
        await process._leadership.acquire()
        process._take_over()
        process._sightings.saw_run(body(name="two"), gone=True)

    with caplog.at_level("INFO", "airlock.operator"):
        asyncio.run(go())
    assert ["two"] == [line.taskrun for line in caplog.records if line.message == "taskrun gone"]
