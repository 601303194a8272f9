"""Who may work, by the Lease."""

import asyncio
import copy

import pytest

from airlock_operator.kube import errors, leadership
from airlock_operator.kube.leadership import Bid, Leadership, Seen, bid


def lease(holder, renewed="t1", seconds=15):
    return {"spec": {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": seconds}}


@pytest.mark.parametrize(
    ("found", "seen", "now", "expected"),
    [
        (None, None, 0.0, Bid.CREATE),
        (lease("me"), None, 0.0, Bid.RENEW),
        (lease(""), None, 0.0, Bid.TAKE),
        ({"spec": {}}, None, 0.0, Bid.TAKE),
        # Never seen before: how old it is by the holder's clock says nothing.
        (lease("other"), None, 1e9, Bid.WAIT),
        (lease("other"), Seen("other", "t1", 100.0), 114.0, Bid.WAIT),
        (lease("other"), Seen("other", "t1", 100.0), 115.5, Bid.TAKE),
        # Renewed since.
        (lease("other", "t2"), Seen("other", "t1", 100.0), 200.0, Bid.WAIT),
        (lease("third"), Seen("other", "t1", 100.0), 200.0, Bid.WAIT),
    ],
)
def test_a_lease_is_taken_only_when_it_was_seen_to_run_out(found, seen, now, expected):
    assert expected is bid(found, "me", seen, now)


class Cluster:
    """One Lease, and an API server whose answers to writes are ``trouble``, whether the write was made or not."""

    def __init__(self):
        self.kept = None
        self.trouble, self.applied = None, True
        self.reads = None

    async def lease(self, namespace, name):
        if self.reads is not None:
            raise self.reads
        if self.kept is None:
            raise errors.NotFound(404, "no Lease")
        return copy.deepcopy(self.kept)

    async def create_lease(self, namespace, body):
        self.kept = body

    async def write_lease(self, namespace, body):
        if self.applied:
            self.kept = body
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(leadership, "_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(leadership, "_LOOK_SECONDS", 0.01)


async def leading(cluster, seconds=0.3):
    mine = Leadership(cluster, "airlock-system", "airlock-operator", "me", seconds)
    await asyncio.wait_for(mine.acquire(), 5)
    return mine, asyncio.ensure_future(mine.keep())


async def after(seconds, mine, keeping):
    await asyncio.sleep(seconds)
    found = mine.held, mine.sure, keeping.done()
    keeping.cancel()
    return found


def test_a_leader_that_renews_is_sure(quick):
    async def go():
        return await after(0.5, *await leading(Cluster()))

    assert (True, True, False) == asyncio.run(go())


def test_a_write_that_was_answered_with_an_error_and_was_made_counts(quick):
    async def go():
        cluster = Cluster()
        mine, keeping = await leading(cluster)
        cluster.trouble = errors.Busy(504, "timed out")
        return await after(0.5, mine, keeping)

    assert (True, True, False) == asyncio.run(go())


@pytest.mark.parametrize("away", ["reads", "writes"])
def test_a_leader_that_cannot_renew_holds_its_work_back_and_does_not_end(quick, away):
    async def go():
        cluster = Cluster()
        mine, keeping = await leading(cluster)
        error = errors.Busy(0, "the API server does not answer")
        if away == "reads":
            cluster.reads = error
        else:
            cluster.trouble, cluster.applied = error, False
        await asyncio.sleep(0.5)
        without = mine.held, mine.sure, keeping.done()
        cluster.reads, cluster.trouble, cluster.applied = None, None, True
        await asyncio.wait_for(mine.until_sure(), 5)
        return without, await after(0.0, mine, keeping)

    assert ((True, False, False), (True, True, False)) == asyncio.run(go())


def test_a_leader_whose_lease_another_has_is_not_one_any_more(quick):
    async def go():
        cluster = Cluster()
        mine, keeping = await leading(cluster)
        cluster.kept["spec"]["holderIdentity"] = "other"
        await asyncio.wait_for(keeping, 5)
        return mine.held, mine.sure

    assert (False, False) == asyncio.run(go())


def test_a_leader_that_has_taken_the_lease_of_another_keeps_it(quick):
    """What was read before the Lease was taken names the other, and says nothing of who has it now."""

    async def go():
        cluster = Cluster()
        cluster.kept = lease("dead", "long ago", seconds=0.05)
        cluster.kept["metadata"] = {"name": "airlock-operator"}
        return await after(0.2, *await leading(cluster))

    assert (True, True, False) == asyncio.run(go())
