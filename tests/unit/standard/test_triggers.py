"""The standard provider's triggers. tests/contract/sdk has them beside Airflow's."""

import asyncio
import datetime as dt

import pytest
from doubles.imports import imported_by

from airlock.sdk import timezone
from airlock.sdk.bases.trigger import TaskSuccessEvent, TriggerEvent
from airlock.standard.triggers import external_task
from airlock.standard.triggers.external_task import DagStateTrigger, WorkflowTrigger
from airlock.standard.triggers.file import DirectoryFileDeleteTrigger, FileDeleteTrigger, FileTrigger, is_there
from airlock.standard.triggers.temporal import DateTimeTrigger, TimeDeltaTrigger
from airlock_wire.protocol import lookups

SECONDS = 30
NOON = dt.datetime(2026, 3, 8, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))


def events(trigger, meanwhile=lambda: None):
    """The events of a trigger. ``meanwhile`` is called when it has run for a moment."""

    async def run():
        async def collect():
            return [event async for event in trigger.run()]

        task = asyncio.create_task(collect())
        await asyncio.sleep(0.05)
        meanwhile()
        return await asyncio.wait_for(task, SECONDS)

    return asyncio.run(run())


def test_a_moment_in_the_past_is_an_event_at_once():
    assert [TriggerEvent(dt.datetime(2026, 3, 8, 10, tzinfo=dt.UTC))] == events(DateTimeTrigger(NOON))
    assert [TriggerEvent(dt.datetime(2026, 3, 8, 10, tzinfo=dt.UTC))] == events(
        DateTimeTrigger(target_time=NOON.isoformat())
    )


def test_a_moment_in_the_future_is_waited_for():
    begin = timezone.utcnow()
    (event,) = events(TimeDeltaTrigger(dt.timedelta(seconds=0.3)))

    assert begin + dt.timedelta(seconds=0.3) <= event.payload <= timezone.utcnow()


def test_a_moment_may_end_the_task():
    assert [TaskSuccessEvent()] == events(DateTimeTrigger(NOON, end_from_trigger=True))


def test_a_template_travels_as_it_is_until_it_was_rendered():
    trigger = DateTimeTrigger(target_time="{{ ds }}")
    assert {"target_time": "{{ ds }}", "end_from_trigger": False} == trigger.serialize()[1]
    trigger.target_time = "2026-03-08"
    assert dt.datetime(2026, 3, 8, tzinfo=dt.UTC) == trigger.moment


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, TypeError), ({"moment": NOON, "target_time": "x"}, TypeError), ({"moment": "noon"}, TypeError),
        ({"moment": NOON.replace(tzinfo=None)}, ValueError),
    ],
)  # fmt: skip
def test_what_is_not_a_moment_is_refused(options, error):
    with pytest.raises(error, match="DateTimeTrigger"):
        DateTimeTrigger(**options)


def test_a_file_is_waited_for(tmp_path):
    trigger = FileTrigger(str(tmp_path / "*.csv"), poke_interval=0.01)

    assert [TriggerEvent(True)] == events(trigger, (tmp_path / "a.csv").touch)


def test_an_empty_folder_is_not_enough(tmp_path):
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    trigger = FileTrigger(str(tmp_path / "folder"), poke_interval=0.01)

    assert not is_there(str(tmp_path / "folder"), recursive=False)
    assert [TriggerEvent(True)] == events(trigger, (tmp_path / "folder" / "inner" / "a").touch)


def test_a_file_that_was_there_is_deleted(tmp_path):
    path = tmp_path / "a"
    assert [TriggerEvent(True)] == events(FileDeleteTrigger(str(path), poke_interval=0.01), path.touch)
    assert not path.exists()


def test_triggers_of_one_folder_share_its_listing_and_each_takes_its_file(tmp_path):
    one = DirectoryFileDeleteTrigger(directory=str(tmp_path), filename="a", poke_interval=0.01)
    other = DirectoryFileDeleteTrigger(directory=f"{tmp_path}/.", filename="b", poke_interval=0.01)
    (tmp_path / "b").touch()

    assert one.shared_stream_key() == other.shared_stream_key()
    assert [TriggerEvent({"filepath": str(tmp_path / "a")})] == events(one, (tmp_path / "a").touch)
    assert ["b"] == [path.name for path in tmp_path.iterdir()]


def test_a_folder_that_is_absent_is_waited_for_and_a_file_in_its_place_is_an_error(tmp_path):
    folder = tmp_path / "later"
    trigger = DirectoryFileDeleteTrigger(directory=str(folder), filename="a", poke_interval=0.01)

    def make():
        folder.mkdir()
        (folder / "a").touch()

    assert 1 == len(events(trigger, make))
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        events(DirectoryFileDeleteTrigger(directory=str(tmp_path / "file"), filename="a", poke_interval=0.01))


@pytest.fixture
def answers(monkeypatch):
    """What is answered, by the kind of question and the states asked about; the questions are kept."""
    table, questions = {}, []

    def ask(message, call):
        questions.append(message)
        return table[type(message), tuple(getattr(message, "states", None) or ())]

    monkeypatch.setattr(external_task._channel, "ask", ask)
    table["questions"] = questions
    return table


def workflow(**options):
    return WorkflowTrigger(
        "d", run_ids=["r1", "r2"], failed_states=["failed"], skipped_states=["skipped"], allowed_states=["success"],
        poke_interval=0.01, **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failed", "skipped", "allowed", "status"),
    [(1, 0, 1, "failed"), (1, 1, 2, "failed"), (0, 1, 1, "skipped"), (0, 0, 2, "success")],
)
def test_runs_of_another_dag_are_counted_by_their_states(answers, failed, skipped, allowed, status):
    for state, count in (("failed", failed), ("skipped", skipped), ("success", allowed)):
        answers[lookups.GetDRCount, (state,)] = lookups.DRCount(count=count)

    assert [TriggerEvent({"status": status})] == events(workflow())
    assert lookups.GetDRCount(dag_id="d", run_ids=["r1", "r2"], states=["failed"]) == answers["questions"][0]


def test_tasks_count_once_they_are_all_there(answers):
    for state, count in (("failed", 1), ("skipped", 0), ("success", 4)):
        answers[lookups.GetTICount, (state,)] = lookups.TICount(count=count)

    assert [TriggerEvent({"status": "success"})] == events(workflow(external_task_ids=["a", "b"]))


def test_a_group_counts_by_the_states_of_its_tasks(answers):
    states = {"r1": {"a": "success", "b": "success"}, "r2": {"a": "success", "b": "skipped"}, "r3": {}}
    answers[lookups.GetTaskStates, ()] = lookups.TaskStatesResult(task_states=states)

    assert 1 == external_task.runs_in(states, ["success"])
    assert 2 == external_task.runs_in(states, ["success", "skipped"])
    trigger = workflow(external_task_group_id="g")
    trigger.failed_states = trigger.skipped_states = None
    trigger.allowed_states = ["success", "skipped"]
    assert [TriggerEvent({"status": "success"})] == events(trigger)


def test_runs_are_waited_for_and_their_states_are_in_the_event(answers):
    answers[lookups.GetDRCount, ("success", "failed")] = lookups.DRCount(count=2)
    answers[lookups.GetDagRunState, ()] = lookups.DagRunStateResult(state="failed")
    (event,) = events(DagStateTrigger("d", ["success", "failed"], ["r1", "r2"], poll_interval=0.01))

    path, arguments = event.payload
    assert "airflow.providers.standard.triggers.external_task.DagStateTrigger" == path
    assert ("failed", "failed", "d") == (arguments["r1"], arguments["r2"], arguments["dag_id"])


def test_an_operator_that_defers_imports_no_event_loop():
    imported = imported_by(
        "airlock.standard.triggers.temporal",
        "airlock.standard.triggers.file",
        "airlock.standard.triggers.external_task",
    )

    assert set() == imported & {"asyncio", "pendulum", "glob", "logging", "dataclasses"}
