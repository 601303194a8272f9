"""Two tasks: one makes a greeting, the next one passes it on. The first DAG to read, and to run."""

import logging

from airlock.sdk import DAG, Variable, task

log = logging.getLogger(__name__)

with DAG("hello", tags=["example"], params={"name": "world"}) as dag:

    @task
    def greet(params, ds=None):
        """What a task returns is kept for the tasks after it."""
        print(f"greeting {params['name']}")
        return f"Hello, {params['name']}! Today is {ds or 'a fine day'}."

    @task(retries=2, retry_delay=10)
    def pass_on(greeting, ti):
        """A failure here is tried again, twice, after ten seconds."""
        mark = Variable.get("hello_mark", default="***")
        log.info("try %d of %s says: %s %s", ti.try_number, ti.task_id, mark, greeting)

    pass_on(greet())
