"""Tasks that end in every way; Airflow's runner imports this."""

from airflow.sdk import DAG, Connection, Variable, task
from airflow.sdk.exceptions import AirflowSkipException

with DAG("contract"):

    @task
    def succeed():
        assert "hello" == Variable.get("greeting")
        assert "p@ss" == Connection.get("db").password
        return {"greeting": Variable.get("greeting")}

    @task(retries=0)
    def fail():
        raise ValueError("as it should")

    @task(retries=2)
    def retry():
        raise ValueError("not this time")

    @task
    def skip():
        raise AirflowSkipException("nothing to do")

    succeed(), fail(), retry(), skip()
