"""Callbacks: who is told of a task and of a whole run, by functions and by a notifier with templates."""

import os

from airlock.sdk import DAG, BaseNotifier, task


class Message(BaseNotifier):
    """A notifier has fields with templates, and any number of them can be given where a function can."""

    template_fields = ("text",)

    def __init__(self, text):
        super().__init__()
        self.text = text

    def notify(self, context):
        print(f"{self.text} ({context['run_id']})")


def tell_run(context):
    """Of a run it is told why it ended, with the context of the task that ended last."""
    print(f"run {context['run_id']}: {context['reason']}, last was {context['ti'].task_id}")


def tell_lost(context):
    """The task's process is gone, so this is called in another one. It has the same rights, and the same context."""
    print(f"{context['ti'].task_id} is lost: {context['exception']}")


with DAG(
    "callbacks",
    on_success_callback=[tell_run, Message("{{ dag.dag_id }} is done: {{ reason }}")],
    on_failure_callback=tell_run,
    tags=["example"],
):

    @task(on_success_callback=Message("{{ ti.task_id }} is done"))
    def work():
        """Its own callback runs in its own process, after its state was reported."""
        return "worked"

    @task(on_failure_callback=tell_lost)
    def vanish():
        """A process that ends like this can call nothing any more, as after a kill for memory."""
        os._exit(3)

    @task(trigger_rule="one_failed")
    def clean_up():
        return "cleaned"

    work() >> vanish() >> clean_up()
