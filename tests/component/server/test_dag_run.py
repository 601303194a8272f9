"""One DAG run on this machine: what the loop launches, in which order, and what stands in the database in the end."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from doubles.dag_runs import dag, literal, over, task
from doubles.launches import Launches, deferred, ended, rescheduled

from airlock_server.launching.local.dag_run import DagRunner
from airlock_server.launching.local.triggers import Fired
from airlock_server.rules.scheduling.snapshot import Limits
from airlock_server.store.engine.types import now
from airlock_server.store.runs.progress import NewRun
from airlock_wire.dags.triggers import StartTrigger
from airlock_wire.protocol.triggers import TaskEnd
from airlock_wire.states import TaskInstanceState as S

DATE = datetime(2026, 1, 1, tzinfo=UTC)


class Triggers:
    """Triggers that fire at once, as told."""

    def __init__(self, fired):
        self.fired = fired
        self.deferrals = []
        self.stopped = []

    def run(self, deferral):
        self.deferrals.append(deferral)
        return self.fired

    def stop(self, ti_id=None):
        self.stopped.append(ti_id)


def new_run(number=1, date=None):
    return NewRun(
        dag_id="d",
        run_id=f"r{number}",
        run_after=date or now(),
        logical_date=date,
        data_interval=(date, date) if date else None,
    )


def play(launches, graph, run=None, triggers=None, **options):
    """Runs a DAG; returns the states by name, and how the run ended."""
    runner = DagRunner(
        SimpleNamespace(database=launches.db), launches, graph, "d.py",
        triggers=triggers or Triggers(Fired(error="nobody is to wait")), show=lambda _: None, look_seconds=0.05, **options,
    )  # fmt: skip
    result = runner.run(run or new_run())
    rows = {
        row.instance.task_id if row.instance.map_index < 0 else f"{row.instance.task_id}[{row.instance.map_index}]": row
        for row in result.rows
    }
    launches.rows = rows
    return {name: rows[name].instance.state.value for name in sorted(rows)}, result.end


def run_state(db, run_id="r1"):
    from airlock_server.store import dag_runs

    return db.read(lambda conn: dag_runs.state_of(conn, "d", run_id))


def test_tasks_run_in_their_order_and_the_run_ends_in_the_database(db):
    launches = Launches(db)
    states, end = play(launches, dag(task("a", "b c"), task("b", "z"), task("c", "z"), task("z")))

    assert {"a": "success", "b": "success", "c": "success", "z": "success"} == states
    assert ("a", {"b", "c"}, "z") == (launches.names[0], set(launches.names[1:3]), launches.names[3])
    assert ("success", "success") == (end.state, run_state(db))


def test_no_more_tasks_run_at_a_time_than_the_dag_allows(db):
    launches = Launches(db, lambda _: threading.Event().wait(0.02) and None)
    play(launches, dag(task("m", expansion=literal(6)), max_active_tasks=1))

    assert (6, 1) == (len(launches.names), launches.most)


def test_a_dag_without_a_number_of_its_own_takes_that_of_the_setting(db):
    launches = Launches(db, lambda _: threading.Event().wait(0.02) and None)
    play(launches, dag(task("m", expansion=literal(6))), limits=Limits(max_active_tasks=1))

    assert (6, 1) == (len(launches.names), launches.most)


def test_a_delay_that_grows_is_no_longer_than_the_setting(db):
    graph = dag(task("a", retries=1, retry_delay_seconds=3600.0, retry_exponential_backoff=2.0))
    launches = Launches(db, lambda launch: ended(S.UP_FOR_RETRY) if launch.try_number == 1 else None)
    states, _ = play(launches, graph, limits=Limits(max_retry_delay_seconds=0.05))

    assert ({"a": "success"}, ["a", "a"]) == (states, launches.names)


def test_a_failure_ends_what_depends_on_it(db):
    launches = Launches(db, lambda launch: ended(S.FAILED) if launch.key.task_id == "a" else None)
    states, end = play(launches, dag(task("a", "b"), task("b"), task("c")))

    assert ({"a": "failed", "b": "upstream_failed", "c": "success"}, "task_failure") == (states, end.reason)
    assert ("failed", ["a", "c"]) == (run_state(db), sorted(launches.names))


def test_a_try_that_ended_outside_its_runner_has_its_callbacks_called(db):
    calls = []
    graph = dag(
        task("a", retries=1, retry_delay_seconds=0.05, has_callbacks=["on_failure", "on_retry"]),
        task("b", has_callbacks=["on_retry"]),
    )

    def script(launch):
        return ended(S.UP_FOR_RETRY if (launch.key.task_id, launch.try_number) == ("a", 1) else S.FAILED)

    launches = Launches(db, script)
    play(launches, graph, call_back=lambda *call: calls.append(call))

    assert [("a", 1, "up_for_retry"), ("a", 2, "failed")] == [
        (outcome.key.task_id, outcome.try_number, state.state) for outcome, state, _ in calls
    ]
    # A retry is another task instance than the try that is over.
    assert calls[0][0].ti_id != calls[0][2]
    assert launches.rows["a"].ti_id == calls[0][2] == calls[1][2]


def test_a_task_is_mapped_over_what_another_pushed(db):
    def script(launch):
        if launch.key.task_id == "a":
            launch.push([1, 2, 3], length=3)
        elif launch.key.task_id == "m":
            launch.push(launch.key.map_index)

    states, _ = play(
        Launches(db, script), dag(task("a", "m"), task("m", "n", expansion=over("a")), task("n", expansion=over("m")))
    )

    names = ["a", *(f"{task_id}[{index}]" for task_id in "mn" for index in range(3))]
    assert dict.fromkeys(names, "success") == states


def test_a_branch_skips_by_what_it_pushed(db):
    def script(launch):
        if launch.key.task_id == "b":
            launch.push({"followed": ["x"]}, key="skipmixin_key")

    graph = dag(task("b", "x y", can_skip=True), task("x", "z"), task("y", "z"), task("z", trigger_rule="none_failed"))
    states, end = play(Launches(db, script), graph)

    assert ({"b": "success", "x": "success", "y": "skipped", "z": "success"}, "success") == (states, end.state)


def test_a_retry_waits_its_delay_and_is_another_try(db):
    launches = Launches(db, lambda launch: ended(S.UP_FOR_RETRY) if launch.try_number < 3 else None)
    states, end = play(launches, dag(task("a", retries=2, retry_delay_seconds=0.05)))

    assert ({"a": "success"}, "success") == (states, end.state)
    assert (["a"] * 3, 3) == (launches.names, launches.rows["a"].instance.try_number)


def test_a_reschedule_waits_for_its_date_within_its_try(db):
    turns = []
    launches = Launches(db, lambda _: turns.append(1) or (rescheduled(0.05) if len(turns) < 3 else None))
    states, _ = play(launches, dag(task("a")))

    assert ({"a": "success"}, 3, 1) == (states, len(turns), launches.rows["a"].instance.try_number)


def test_a_deferred_task_goes_on_with_the_event_of_its_trigger(db):
    resumed = []

    def script(launch):
        if "next_method" not in launch.context:
            return deferred("a.Trigger", {"moment": 1}, "go_on", {"own": 2})
        resumed.append((launch.context["next_method"], launch.context["next_kwargs"], launch.try_number))
        return None

    triggers = Triggers(Fired(event={"x": 1}))
    states, _ = play(Launches(db, script), dag(task("a")), triggers=triggers)

    assert ({"a": "success"}, [("go_on", {"own": 2, "event": {"x": 1}}, 1)]) == (states, resumed)
    assert [("a.Trigger", {"moment": 1})] == [(each.classpath, each.kwargs) for each in triggers.deferrals]


def test_a_task_whose_trigger_failed_goes_on_with_the_error(db):
    def script(launch):
        if "next_method" not in launch.context:
            return deferred("a.Trigger", {}, "go_on", {})
        assert ("__fail__", "no") == (launch.context["next_method"], launch.context["next_kwargs"]["error"])
        return ended(S.FAILED)

    states, end = play(Launches(db, script), dag(task("a")), triggers=Triggers(Fired(error="no")))

    assert ({"a": "failed"}, "failed") == (states, end.state)


def test_a_task_that_begins_with_its_trigger_has_one_launch(db):
    start = StartTrigger(trigger_cls="a.Trigger", trigger_kwargs={"x": 1}, next_kwargs={"y": 2})
    launches, triggers = Launches(db), Triggers(Fired(event=1))
    states, _ = play(launches, dag(task("a", start_trigger=start)), triggers=triggers)

    assert ({"a": "success"}, ["a"], 1) == (states, launches.names, launches.rows["a"].instance.try_number)
    assert [("a.Trigger", {"x": 1})] == [(each.classpath, each.kwargs) for each in triggers.deferrals]


def test_a_task_that_begins_with_its_trigger_waits_no_longer_than_its_own_time_limit(db):
    start = StartTrigger(trigger_cls="a.Trigger", timeout_seconds=1000.0)
    triggers = Triggers(Fired(event=1))
    play(Launches(db), dag(task("a", start_trigger=start, execution_timeout_seconds=10.0)), triggers=triggers)

    [deferral] = triggers.deferrals
    assert deferral.starts
    assert deferral.until < now() + timedelta(seconds=11)


@pytest.mark.parametrize(
    ("state", "ends", "tries"), [("success", "success", 1), ("skipped", "skipped", 1), ("failed", "failed", 2)]
)
def test_a_trigger_ends_its_task_without_another_launch_and_a_failure_uses_a_try(db, state, ends, tries):
    def script(launch):
        return deferred("a.Trigger", {}, "go_on", {}) if launch.key.task_id == "a" else None

    launches = Launches(db, script)
    graph = dag(task("a", "m", retries=1, retry_delay_seconds=0.01), task("m", expansion=over("a")))
    fired = Fired(end=TaskEnd(state=state, xcoms={"return_value": [1, 2]}))
    states, _ = play(launches, graph, triggers=Triggers(fired))

    assert (ends, ["a"] * tries) == (states.pop("a"), [name for name in launches.names if name == "a"])
    if state == "success":
        assert {"m[0]": "success", "m[1]": "success"} == states


def test_the_trigger_of_a_task_that_something_else_ended_is_stopped(db):
    class Waiting(Triggers):
        def run(self, deferral):
            self.deferrals.append(deferral)
            self.over.wait(10)
            return Fired(error="stopped")

        def stop(self, ti_id=None):
            super().stop(ti_id)
            self.over.set()

    def script(launch):
        if launch.key.task_id == "waits":
            return deferred("a.Trigger", {}, "go_on", {})
        return ended(S.FAILED) if launch.key.task_id == "a" else None

    triggers = Waiting(None)
    triggers.over = threading.Event()
    graph = dag(task("waits"), task("a"), task("t", is_teardown=True), fail_fast=True, max_active_tasks=3)
    states, _ = play(Launches(db, script), graph, triggers=triggers)

    assert {"a": "failed", "waits": "skipped", "t": "success"} == states
    assert None in triggers.stopped


def test_a_failure_stops_what_runs_where_the_dag_fails_fast(db):
    def script(launch):
        if launch.key.task_id == "slow":
            launch.wait_until_moved()
        return ended(S.FAILED) if launch.key.task_id == "a" else None

    graph = dag(task("a"), task("slow"), task("t", is_teardown=True), fail_fast=True, max_active_tasks=3)
    states, end = play(Launches(db, script), graph)

    assert ({"a": "failed", "slow": "failed", "t": "success"}, "failed") == (states, end.state)


def test_a_run_that_takes_too_long_is_over(db):
    launches = Launches(db, lambda launch: launch.wait_until_moved())
    states, end = play(launches, dag(task("a", "b"), task("b"), dagrun_timeout_seconds=0.2))

    assert ({"a": "skipped", "b": "skipped"}, "timed_out") == (states, end.reason)


def test_a_run_that_is_stopped_begins_nothing_more_and_has_failed(db):
    launches = Launches(db)

    def script(_):
        launches.stopping = True

    launches._script = script
    states, end = play(launches, dag(task("a", "b"), task("b")))

    assert ({"a": "success", "b": "none"}, None, "failed") == (states, end, run_state(db))


def test_tasks_that_match_succeed_without_being_run(db):
    launches = Launches(db)
    states, _ = play(launches, dag(task("a", "b"), task("b")), marks_success=lambda task_id: task_id == "a")

    assert ({"a": "success", "b": "success"}, ["b"]) == (states, launches.names)


def test_a_task_that_depends_on_the_past_looks_at_the_run_before(db):
    graph = dag(task("a", depends_on_past=True), task("b"), dagrun_timeout_seconds=1.5)
    assert "success" == play(Launches(db), graph, new_run(1, DATE))[1].state

    later = datetime(2026, 1, 2, tzinfo=UTC)
    fails = Launches(db, lambda launch: ended(S.FAILED) if launch.key.task_id == "a" else None)
    assert "task_failure" == play(fails, graph, new_run(2, later))[1].reason

    states, end = play(Launches(db), graph, new_run(3, datetime(2026, 1, 3, tzinfo=UTC)))
    assert ({"a": "skipped", "b": "success"}, "timed_out") == (states, end.reason)


def test_a_run_of_the_same_id_is_replaced(db):
    def script(launch):
        launch.push(launch.key.task_id)

    play(Launches(db, script), dag(task("a"), task("b")), new_run(1, DATE))
    launches = Launches(db)
    states, _ = play(launches, dag(task("a")), new_run(1, DATE))

    assert ({"a": "success"}, ["a"]) == (states, launches.names)


@pytest.mark.parametrize("value", [b"[]", b'{"followed": 3}', b"{}", b"nonsense"])
def test_a_skip_record_of_another_form_is_passed_over(value):
    from airlock_server.store.runs.progress import skip_record

    assert None is skip_record(value)
