"""Retries, priorities, ids of runs and data intervals."""

from datetime import UTC, datetime, timedelta

import pytest
from doubles.dag_runs import dag, task

from airlock_server.rules.scheduling import retries, runs
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.snapshot import Instance
from airlock_server.rules.scheduling.weights import priority_weight
from airlock_wire.dags import schedule
from airlock_wire.dags.conditions import AllOf
from airlock_wire.dags.moments import CalendarStep, Span
from airlock_wire.states import TaskInstanceState as S

DATE = datetime(2026, 1, 1, tzinfo=UTC)


def delay(of_task, instance, max_delay_seconds=86_400.0):
    """Seconds between the end of a try and the next one."""
    at = retries.next_try("d", of_task, instance, DATE, now=DATE + timedelta(1), max_delay_seconds=max_delay_seconds)
    return (at - DATE).total_seconds()


@pytest.mark.parametrize(
    ("state", "own", "try_number", "max_tries", "expected"),
    [
        (S.RUNNING, 2, 1, 2, True),
        (S.RUNNING, 2, 2, 2, True),
        (S.RUNNING, 2, 3, 2, False),
        (S.RUNNING, 0, 1, 5, False),
        (S.RUNNING, None, 1, 5, True),
        (S.RUNNING, None, 6, 5, False),
        (S.RESTARTING, 0, 9, 0, True),
    ],
)
def test_whether_a_failed_instance_gets_another_try(state, own, try_number, max_tries, expected):
    instance = Instance(task_id="t", state=state, try_number=try_number, max_tries=max_tries)

    assert expected is retries.eligible(instance, own)


def test_a_clear_gives_as_many_tries_again():
    instance = Instance(task_id="t", try_number=1, max_tries=3)

    assert (4, 3) == (retries.max_tries_after_clear(instance, 3), retries.max_tries_after_clear(instance, None))


def test_the_next_try_of_an_instance_waits_as_its_task_says():
    grows = task("t", retry_delay_seconds=60.0, retry_exponential_backoff=2.0, max_retry_delay_seconds=100.0)
    instance = Instance(task_id="t", try_number=5, end_date=DATE)

    assert 100 == delay(grows, instance)
    assert 300 == delay(task("t"), instance)


def test_a_delay_that_grows_stops_at_the_setting_and_one_that_does_not_is_the_tasks_own():
    grows = task("t", retry_delay_seconds=60.0, retry_exponential_backoff=2.0)
    instance = Instance(task_id="t", try_number=5, end_date=DATE)

    assert 70 == delay(grows, instance, max_delay_seconds=70.0)
    assert 300 == delay(task("t"), instance, max_delay_seconds=70.0)


def test_a_retry_policys_delay_replaces_the_rest():
    assert 5 == delay(task("t"), Instance(task_id="t", try_number=1, end_date=DATE, retry_delay_override=5.0))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("downstream", 14), ("upstream", 3), ("absolute", 2), ("plugin.Rule", 2), ("plugin.Rule:7", 7)],
)
def test_a_priority_is_the_sum_of_the_weights_in_its_direction(rule, expected):
    rule, _, custom = rule.partition(":")
    graph = dag(
        task("a", "b", priority_weight=1),
        task("b", "c d", priority_weight=2, weight_rule=rule),
        task("c", "e", priority_weight=3),
        task("d", "e", priority_weight=4),
        task("e", priority_weight=5),
    )

    assert expected == priority_weight(DagGraph(graph), "b", int(custom) if custom else None)


def test_a_weight_may_be_below_zero():
    graph = DagGraph(
        dag(task("a", "b", priority_weight=3), task("b", "c", priority_weight=-5), task("c", priority_weight=0))
    )

    assert [-2, -5, 0] == [priority_weight(graph, task_id) for task_id in "abc"]


def test_a_priority_is_cut_to_32_bits():
    graph = DagGraph(dag(task("a", "b", priority_weight=2**31 - 1), task("b", priority_weight=2**31 - 1)))

    assert 2**31 - 1 == priority_weight(graph, "a")


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("scheduled", {}, "scheduled__2026-01-01T00:00:00+00:00"),
        ("manual", {"scatter": "xyz"}, "manual__2026-01-01T00:00:00+00:00"),
        ("asset_triggered", {"scatter": "xyz"}, "asset_triggered__2026-01-01T00:00:00+00:00_xyz"),
        ("asset_materialization", {}, "asset_materialization__2026-01-01T00:00:00+00:00"),
        ("backfill", {}, "backfill__2026-01-01T00:00:00+00:00"),
        ("scheduled", {"partition_key": "k", "scatter": "xyz"}, "scheduled__2026-01-01T00:00:00+00:00__k__xyz"),
    ],
)
def test_a_run_is_called_by_its_type_and_moment(kind, more, expected):
    assert expected == runs.run_id(kind, DATE, **more)


def test_a_moment_in_another_zone_is_written_in_utc():
    moment = datetime.fromisoformat("2026-01-01T02:00:00.5+02:00")

    assert "manual__2026-01-01T00:00:00.500000+00:00" == runs.run_id("manual", moment)


def test_a_manual_run_may_not_be_called_as_another_type():
    assert "begins as the ids of scheduled runs do" in runs.run_id_problem("scheduled__x", "manual")
    assert "" == runs.run_id_problem("manual__x", "manual") == runs.run_id_problem("scheduledx", "manual")


NOON = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
HOUR, NONE = timedelta(hours=1), timedelta(0)
CONDITION = AllOf(conditions=[])


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        (schedule.Null(), NONE),
        (schedule.Once(), NONE),
        (schedule.Continuous(), NONE),
        (schedule.CronTrigger(expression="@daily"), NONE),
        (schedule.CronTrigger(expression="@daily", interval=Span(seconds=3600.0)), HOUR),
        (schedule.MultipleCron(expressions=["@daily"]), NONE),
        (schedule.DeltaTrigger(delta=Span(seconds=86400.0)), NONE),
        (schedule.DeltaDataInterval(delta=Span(seconds=86400.0)), timedelta(days=1)),
        (schedule.DeltaDataInterval(delta=Span(calendar=CalendarStep(months=1))), timedelta(days=28)),
        (schedule.Assets(condition=CONDITION), NONE),
        (
            schedule.AssetOrTime(timetable=schedule.DeltaDataInterval(delta=Span(seconds=3600.0)), condition=CONDITION),
            HOUR,
        ),
        (schedule.Events(dates=[NOON - HOUR]), NONE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_run_by_hand_is_about_the_time_before_its_moment(kind, before):
    assert (NOON - before, NOON) == runs.manual_interval(kind, NOON)


def test_a_schedule_that_is_restricted_to_events_takes_the_newest_that_has_happened():
    events = schedule.Events(dates=[NOON - 2 * HOUR, NOON - HOUR, NOON + HOUR], restrict_to_events=True)

    assert (NOON - HOUR, NOON - HOUR) == runs.manual_interval(events, NOON)
    assert (NOON - 3 * HOUR,) * 2 == runs.manual_interval(events, NOON - 3 * HOUR)


@pytest.mark.parametrize(
    ("expression", "zone", "moment", "start", "end"),
    [
        ("0 0 * * *", "UTC", "2026-03-10T12:30Z", "2026-03-09T00:00Z", "2026-03-10T00:00Z"),
        ("0 0 * * *", "UTC", "2026-03-10T00:00Z", "2026-03-09T00:00Z", "2026-03-10T00:00Z"),
        ("0 0 * * *", "+01:00", "2026-03-10T12:30Z", "2026-03-08T23:00Z", "2026-03-09T23:00Z"),
        ("0 0 * * *", "-03:30", "2026-03-10T12:30Z", "2026-03-09T03:30Z", "2026-03-10T03:30Z"),
        # The clock is set forward from 02:00 to 03:00: the tick of that day comes at 03:30, and its day has 23 hours.
        ("30 2 * * *", "Europe/Berlin", "2026-03-30T12:00Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"),
        # It is set back from 03:00 to 02:00: of the two half past twos the later one is the tick.
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T00:30Z", "2026-10-25T01:30Z"),
        # An expression for every hour ticks in both.
        ("0 * * * *", "Europe/Berlin", "2026-10-25T01:30Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z"),
    ],
)
def test_a_run_by_hand_is_about_the_last_whole_interval_between_two_ticks(expression, zone, moment, start, end):
    kind = schedule.CronDataInterval(expression=expression, timezone=zone)
    expected = tuple(map(datetime.fromisoformat, (start, end)))

    assert expected == runs.manual_interval(kind, datetime.fromisoformat(moment))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (schedule.CronDataInterval(expression="0 0 31 2 *"), "the schedule '0 0 31 2 [*]': "),
        (schedule.CronDataInterval(expression="0 0 * * *", timezone="Mars/Base"), "there is no time zone 'Mars/Base'"),
        (schedule.Custom(classpath="mine.Weekly"), "the timetable mine.Weekly is the author's code"),
    ],
)
def test_an_interval_that_cannot_be_computed_says_why(kind, reason):
    with pytest.raises(runs.NoInterval, match=reason):
        runs.manual_interval(kind, NOON)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (CalendarStep(months=1), "2026-02-28T00:00:00+00:00"),
        (CalendarStep(years=1, days=1), "2027-02-01T00:00:00+00:00"),
        (CalendarStep(day=1, hour=6), "2026-01-01T06:00:00+00:00"),
        (CalendarStep(weekday=0), "2026-02-02T00:00:00+00:00"),
        (CalendarStep(weekday=4, weekday_position=-1), "2026-01-30T00:00:00+00:00"),
        (CalendarStep(weekday=4, weekday_position=2), "2026-02-13T00:00:00+00:00"),
    ],
)
def test_a_step_in_a_calendar_goes_where_dateutil_goes(step, expected):
    from airlock_server.rules.spans import plus

    assert expected == plus(datetime(2026, 1, 31, tzinfo=UTC), Span(calendar=step)).isoformat()


def test_a_logical_date_of_a_request_loses_its_microseconds():
    assert DATE == runs.whole_seconds(DATE + timedelta(microseconds=5))
