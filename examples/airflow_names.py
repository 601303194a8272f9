"""A DAG file of Airflow's, unchanged: its imports are Airlock's where Airflow is not installed."""

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Amsterdam"), tags=["example"])
def airflow_names():
    @task
    def extract() -> dict[str, int]:
        return {"rows": 3}

    def load(rows: int, **context) -> str:
        return f"{rows} rows of {context['logical_date'].in_timezone('Europe/Amsterdam').to_date_string()}"

    rows = extract()
    EmptyOperator(task_id="start") >> rows
    PythonOperator(task_id="load", python_callable=load, op_kwargs={"rows": rows["rows"]})


airflow_names()
