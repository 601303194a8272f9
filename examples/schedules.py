"""Schedules: cron lines, intervals, lists of moments, an author's own timetable, and assets."""

from datetime import UTC, datetime, timedelta

from airlock.sdk import DAG, Asset, AssetOrTimeSchedule, CronTriggerTimetable, EventsTimetable, task

START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = Asset("daily_orders")

with DAG("schedules_nightly", schedule="0 3 * * *", start_date=START, catchup=False, tags=["example"]):

    @task(outlets=[ORDERS])
    def count(data_interval_start=None, data_interval_end=None):
        """A run has an interval: the day that has just ended."""
        return f"{data_interval_start} to {data_interval_end}"

    count()

with DAG("schedules_often", schedule=timedelta(hours=6), start_date=START, max_active_runs=1, tags=["example"]):

    @task
    def refresh():
        """Never at the same time as another run of this DAG."""

    refresh()

with DAG(
    "schedules_moments",
    schedule=EventsTimetable([datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)]),
    start_date=START,
    tags=["example"],
):

    @task
    def greet():
        return "a happy day"

    greet()

with DAG(
    "schedules_assets",
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 6 * * 1", timezone="UTC"), assets=ORDERS),
    start_date=START,
    tags=["example"],
):

    @task
    def report(triggering_asset_events):
        """Runs each Monday, and whenever the orders are new."""
        return len(triggering_asset_events)

    report()
