"""The work queue: one worker a key, soonest first, and a failing key pauses longer each time."""

import asyncio

import pytest

from airlock_operator.workqueue import LONGEST_PAUSE_SECONDS, WorkQueue


class Clock:
    def __init__(self):
        self.now = 0.0
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.now


@pytest.fixture
def clock():
    return Clock()


def taken(queue, count=1):
    async def take():
        return [await asyncio.wait_for(queue.take(), 0.05) for _ in range(count)]

    return asyncio.run(take())


def empty(queue):
    async def take():
        try:
            await asyncio.wait_for(queue.take(), 0.02)
        except TimeoutError:
            return True
        return False

    return asyncio.run(take())


def test_what_is_due_first_comes_first(clock):
    queue = WorkQueue(clock)
    queue.add("late", 5)
    queue.add("soon", 1)
    queue.add("now")
    clock.now = 10

    assert ["now", "soon", "late"] == taken(queue, 3)


def test_a_key_that_is_added_twice_comes_once_at_the_sooner_time(clock):
    queue = WorkQueue(clock)
    queue.add("a", 100)
    queue.add("a", 1)
    queue.add("a", 50)
    clock.now = 2

    assert ["a"] == taken(queue)
    queue.done("a")
    clock.now = 1000
    assert empty(queue)


def test_a_key_is_never_worked_on_twice_at_a_time_and_news_meanwhile_is_not_lost(clock):
    queue = WorkQueue(clock)
    queue.add("a")
    assert ["a"] == taken(queue)
    queue.add("a")
    assert empty(queue)
    queue.done("a")
    assert ["a"] == taken(queue)


def test_nothing_comes_before_its_time(clock):
    queue = WorkQueue(clock)
    queue.add("a", 60)

    assert empty(queue)


def test_a_failing_key_pauses_longer_up_to_a_bound_and_a_success_forgets(clock):
    queue = WorkQueue(clock)
    pauses = [queue.failed("a") for _ in range(20)]

    assert pauses[0] <= 0.2
    assert max(pauses) <= LONGEST_PAUSE_SECONDS
    assert min(pauses[-5:]) >= LONGEST_PAUSE_SECONDS / 2
    queue.succeeded("a")
    assert queue.failed("a") <= 0.2


def test_a_waiting_worker_is_woken_by_news(clock):
    async def scene():
        queue = WorkQueue(clock)
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0.01)
        queue.add("a")
        return await asyncio.wait_for(waiting, 1)

    assert "a" == asyncio.run(scene())


def test_news_wakes_one_of_many_workers_and_each_key_finds_its_own(clock):
    async def scene():
        queue = WorkQueue(clock)
        waiting = [asyncio.create_task(queue.take()) for _ in range(32)]
        await asyncio.sleep(0.01)
        queue.add("later", 60)
        await asyncio.sleep(0.01)
        asked = clock.asked
        queue.add("a")
        queue.add("b")
        await asyncio.sleep(0.05)
        taken = {task.result() for task in waiting if task.done()}
        for task in waiting:
            task.cancel()
        return taken, asked

    taken, asked = asyncio.run(scene())

    assert {"a", "b"} == taken
    # Once for the date and once by the worker that it woke.
    assert 2 == asked
