"""Tasks that end in every way; Airflow's runner imports this."""

from airflow.sdk import DAG, Connection, Variable, task
from airflow.sdk.exceptions import AirflowSkipException

with DAG("contract"):

    @task
    def succeed():
        assert Variable.get("greeting") == "hello"
        assert Connection.get("db").password == "p@ss"
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
