"""A task that defers, comes back, and waits in its first try to be evicted. The witness learns of each line it printed."""

import time
import urllib.request
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import DAG, BaseOperator, Connection

#: Longer than anybody takes to evict it.
LINES = 600


class Story(BaseOperator):
    def execute(self, context):
        print("before the deferral, by", Connection.get("db").password)
        self.defer(trigger=DateTimeTrigger(datetime.now(UTC) + timedelta(seconds=2)), method_name="resume")

    def resume(self, context, event=None):
        print("after the deferral, by", Connection.get("db").password)
        if context["ti"].try_number > 1:
            print("the last line")
            return
        for number in range(LINES):
            print("line", number)
            urllib.request.urlopen(f"http://witness:8000/story/start/{number}", timeout=20).read()
            time.sleep(0.2)


with DAG("story", default_args={"retry_delay": timedelta(seconds=1)}):
    Story(task_id="told", retries=1)
