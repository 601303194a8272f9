"""Triggers, their events, and the watchers that hold them."""

import asyncio

import pytest

from airlock.sdk.bases.trigger import (
    BaseEventTrigger,
    BaseTrigger,
    StartTriggerArgs,
    TaskFailedEvent,
    TaskSkippedEvent,
    TaskSuccessEvent,
    TriggerEvent,
)
from airlock.sdk.basis.states import TaskInstanceState
from airlock.sdk.definitions.asset import AssetAccessControl, AssetWatcher


class Counting(BaseTrigger):
    def __init__(self, to):
        super().__init__()
        self.to = to

    def serialize(self):
        return "mine.Counting", {"to": self.to}

    async def run(self):
        for number in range(self.to):
            yield TriggerEvent(number)


class Watching(BaseEventTrigger):
    def serialize(self):
        return "mine.Watching", {}

    async def run(self):
        yield TriggerEvent({"rows": 3})


def test_a_trigger_yields_events_and_shows_its_arguments():
    async def events():
        return [event async for event in Counting(2).run()]

    assert [TriggerEvent(0), TriggerEvent(1)] == asyncio.run(events())
    assert "<mine.Counting to=2>" == repr(Counting(2))
    assert "TriggerEvent<{'rows': 3}>" == repr(TriggerEvent({"rows": 3}))


def test_an_event_that_ends_the_task_has_its_state_and_takes_no_payload():
    events = [TaskSuccessEvent(xcoms={"k": 1}), TaskFailedEvent(), TaskSkippedEvent()]

    assert [TaskInstanceState.SUCCESS, TaskInstanceState.FAILED, TaskInstanceState.SKIPPED] == [
        event.task_instance_state for event in events
    ]
    assert [{"k": 1}, None, None] == [event.xcoms for event in events]
    with pytest.raises(ValueError, match="takes no payload"):
        TaskSuccessEvent(payload=1)


class Task:
    template_ext = (".sql",)
    template_fields = ("to", "other", "absent")
    start_trigger_args = StartTriggerArgs("mine.Counting", "next", {"to": "{{ ds }}", "absent": 1})


class TaskInstance:
    task_id = "t"
    task = Task


def test_a_trigger_renders_the_fields_that_it_shares_with_its_operators_start():
    trigger = Counting(3)
    assert None is trigger.task
    trigger.task_instance = TaskInstance

    assert ("t", ("to",), (".sql",)) == (trigger.task_id, trigger.template_fields, trigger.template_ext)


def test_triggers_of_one_class_and_arguments_share_a_hash():
    assert BaseEventTrigger.hash("a.B", {"x": 1, "y": (2,)}) == BaseEventTrigger.hash("a.B", {"y": (2,), "x": 1})
    assert BaseEventTrigger.hash("a.B", {"x": 1}) != BaseEventTrigger.hash("a.B", {"x": 2})


def test_a_shared_stream_is_opt_in():
    trigger = Watching()

    assert None is trigger.shared_stream_key()
    for call in (
        lambda: trigger.filter_shared_stream(None),
        lambda: trigger.open_shared_stream({}),
        lambda: trigger.create_shared_stream_producer({}),
    ):
        with pytest.raises(NotImplementedError, match="Watching"):
            call()


def test_a_watcher_takes_only_a_trigger_that_may_fire_many_times():
    assert "w" == AssetWatcher("w", Watching()).name
    with pytest.raises(ValueError, match="must be a BaseEventTrigger, not Counting"):
        AssetWatcher("w", Counting(1))


def test_an_access_control_is_its_fields():
    assert AssetAccessControl(["a"]) == AssetAccessControl(producer_teams=["a"])
    assert AssetAccessControl(["a"]) != AssetAccessControl(["a"], allow_global=False)
    assert 1 == len({AssetAccessControl(), AssetAccessControl()})
