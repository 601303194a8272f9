"""A DAG file that cannot be imported: every executor's Airflow says so, and no other DAG is hurt."""

from airflow.sdk import DAG
from no_such_animal import cage

with DAG(f"broken__{cage}"):
    pass
