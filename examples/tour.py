"""A tour of one DAG run: a mapped task, a branch, a retry, XComs, and what is skipped. `make demo` runs it."""

from airlock.sdk import DAG, task

with DAG("tour", tags=["example"]):

    @task
    def orders():
        """What a task returns is an XCom: the tasks after it get it as an argument."""
        return {"utrecht": 12, "leiden": 7, "delft": 31}

    @task(retries=2, retry_delay=0.5)
    def price(city, ti):
        """One instance for each city, at the same time. Leiden's first try fails, and is tried again."""
        name, amount = city
        if name == "leiden" and ti.try_number == 1:
            raise ConnectionError("the till does not answer")
        print(f"{name}: {amount} orders")
        return amount * 10

    @task.branch
    def choose(amounts):
        """Says which task goes on; the other is skipped."""
        return "celebrate" if sum(amounts) > 100 else "console"

    @task
    def celebrate():
        print("a good day")

    @task
    def console():
        print("tomorrow is another day")

    @task(trigger_rule="none_failed_min_one_success")
    def report(amounts):
        """Runs after both paths, whichever was taken."""
        return f"{sum(amounts)} euro"

    amounts = price.expand(city=orders())
    choose(amounts) >> [celebrate(), console()] >> report(amounts)
