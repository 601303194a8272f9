"""XComs: what tasks hand to each other, several values, and values that are not JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from airlock.sdk import DAG, task


@dataclass
class Order:
    """A class of the author's own. `[core] allowed_deserialization_classes` names those that may be read again."""

    number: int
    price: Decimal


with DAG("xcoms", tags=["example"]):

    @task(multiple_outputs=True)
    def measure():
        """Each key is an XCom of its own, that another task can ask for."""
        return {"taken_at": datetime(2026, 1, 1, tzinfo=UTC), "took": timedelta(seconds=3), "units": {"kg", "m"}}

    @task
    def describe(taken_at, took):
        """A date arrives as a date, and a duration as a duration."""
        return f"{taken_at + took:%H:%M:%S}"

    @task
    def push(ti):
        ti.xcom_push(key="rows", value=[1, 2, 3])

    @task
    def pull(ti):
        """Any key of any task of the run."""
        return sum(ti.xcom_pull(task_ids="push", key="rows"))

    @task
    def price():
        return Decimal("12.50")

    @task
    def invoice(amount):
        return f"{Order(number=1, price=amount * 2).price:.2f}"

    measured = measure()
    describe(measured["taken_at"], measured["took"])
    push() >> pull()
    invoice(price())
