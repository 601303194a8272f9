"""The same DAG once for each executor of this Airflow, and what its tasks say to the witness outside of Airflow."""

import os
import urllib.parse
import urllib.request

from airflow.sdk import DAG

#: The end of a DAG's id, and the executor that it stands for.
EXECUTORS = {"taskrun": "TaskRunExecutor", "kubernetes": "KubernetesExecutor", "local": "LocalExecutor"}
#: What every line begins with that is compared.
MARK = "zoo:"


def each(dag_id, **options):
    """
    Yields an open DAG for each executor. ``defaults`` are more of its tasks' arguments; ``assets`` returns the assets that
    start it, by the executor's short name.
    """
    defaults, assets = options.pop("defaults", {}), options.pop("assets", lambda _: None)
    for short in os.environ["ZOO_EXECUTORS"].split(","):
        given = {"executor": EXECUTORS[short], "retries": 0} | defaults
        with DAG(f"{dag_id}__{short}", default_args=given, schedule=assets(short), **options) as dag:
            yield dag


def cage(dag):
    """The executor's short name, by which names differ that all of Airflow shares."""
    return dag.dag_id.rpartition("__")[2]


def note(*words):
    """Tells the witness, which stands outside of Airflow; the first word is the DAG's id."""
    path = "/".join(urllib.parse.quote(str(word), safe="") for word in words)
    urllib.request.urlopen(f"http://witness:8000/{path}", timeout=10).close()


def say(*words):
    print(MARK, *words)
