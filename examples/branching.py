"""Branches: what one task chooses, what is skipped, and how the paths meet again."""

from airlock.sdk import DAG, Label, TriggerRule, task

with DAG("branching", tags=["example"], params={"rows": 250}):

    @task.branch
    def choose(params):
        """Returns the id of the task to go on with: those that it does not name are skipped."""
        return "in_bulk" if params["rows"] > 100 else "one_by_one"

    @task
    def in_bulk():
        return "bulk"

    @task
    def one_by_one():
        return "single"

    @task.short_circuit
    def is_new(params):
        """A false answer skips everything after it."""
        return params["rows"] < 0

    @task
    def announce():
        print("never reached")

    @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    def report(ti):
        """Runs although one path was skipped."""
        return [value for value in ti.xcom_pull(task_ids=["in_bulk", "one_by_one"]) if value]

    @task.skip_if(lambda context: context["params"]["rows"] > 100)
    @task
    def check_each_row():
        print("only for small files")

    chosen, bulk, single, end = choose(), in_bulk(), one_by_one(), report()
    chosen >> Label("many rows") >> bulk >> end
    chosen >> Label("few rows") >> single >> end
    is_new() >> announce()
    check_each_row()
