"""What tasks in Airflow's own runner do on a cluster."""

from airflow.sdk import DAG, Variable, task

with DAG("modes"):

    @task
    def first(dag_run=None):
        print("hello from Airflow's runner")
        return {"asked": dag_run.conf, "greeting": Variable.get("greeting")}

    @task
    def second(got):
        return got["greeting"] + ", again"

    second(first())

for which in ("node", "image"):
    with DAG(f"late_by_{which}"):

        @task
        def late():
            return "came late"

        late()
