"""Retries: when a task is tried again, when it is not, and who is told."""

from datetime import timedelta

from airlock.sdk import DAG, AirlockFailException, ExceptionRetryPolicy, RetryAction, RetryRule, task


def tell(context):
    """A callback gets the task's context. It runs where the task ran."""
    print(f"{context['ti'].task_id}: try {context['ti'].try_number} has failed")


POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=ConnectionError, action=RetryAction.RETRY, retry_delay=timedelta(seconds=1)),
        RetryRule(exception=ValueError, action=RetryAction.FAIL, reason="bad data does not get better"),
    ]
)

with DAG("retries", tags=["example"], default_args={"retries": 2, "retry_delay": timedelta(seconds=1)}):

    @task(on_retry_callback=tell)
    def shaky(ti):
        """Fails once, and is tried again after a second."""
        if ti.try_number == 1:
            raise RuntimeError("the first try fails")
        return ti.try_number

    @task(retry_policy=POLICY)
    def chosen_by_policy(ti):
        """A rule decides by the exception: a lost connection is tried again, a bad value is not."""
        if ti.try_number == 1:
            raise ConnectionError("the line is busy")
        return "connected"

    @task(on_failure_callback=tell)
    def hopeless():
        """`AirlockFailException` ends the task at once, whatever tries it has left."""
        raise AirlockFailException("there is nothing to try again")

    @task(trigger_rule="one_failed")
    def clean_up():
        """Runs because a task before it has failed."""
        return "cleaned"

    @task(execution_timeout=timedelta(minutes=1))
    def bounded():
        """A task that takes longer than its limit fails, and is tried again."""

    shaky() >> chosen_by_policy() >> bounded()
    hopeless() >> clean_up()
