"""A file whose import takes longer than the limit of its tasks."""

import time

from airflow.sdk import DAG, task

time.sleep(6)

with DAG("slow_import"):

    @task
    def quick():
        return None

    quick()
