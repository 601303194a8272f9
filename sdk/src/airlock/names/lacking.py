"""What Airflow's names do not give here, and what to use instead."""

from typing import Final

#: The folders of vendors and themes that hold several providers, such as airflow.providers.apache.kafka.
VENDORS: Final = ("apache", "atlassian", "cncf", "common", "dbt", "microsoft")

_DATABASE: Final = (
    "tasks and DAG files have no database here, as in Airflow 3; use the context (`ti`, `dag_run`), Variable.get, "
    "Connection.get, or the REST API"
)
_DAG_BAG: Final = (
    "to check DAG files, run `airlock dags list-import-errors FOLDER`; it ends with 1 if there is an error"
)
_SCHEDULER: Final = "it belongs to Airflow's scheduler or its services, which DAG files do not reach here"

#: By the path of a name or module: the nearest one that is listed counts.
INSTEAD: Final = {
    "airflow.datasets": "Airflow 3 does not have it either; use airflow.sdk.Asset",
    "airflow.operators.dummy": "Airflow 3 does not have it either; use EmptyOperator of airflow.providers.standard",
    "airflow.operators.subdag": "Airflow 3 does not have it either; use airflow.sdk.TaskGroup",
    "airflow.utils.dates": "Airflow 3 does not have days_ago either; write the date, like datetime(2026, 1, 1)",
    "airflow.utils.helpers": "copy what you need of it; chain is airflow.sdk.chain, in Airflow 3 too",
    "airflow.operators.email": "it is part of the smtp provider; send the mail in a @task, for example with smtplib",
    "airflow.utils.email": "it belongs to Airflow's services; set the task's `email`, or use smtplib in a @task",
    "airflow.operators.generic_transfer": "it is part of the common-sql provider; move the rows in a @task",
    "airflow.models": _DATABASE,
    "airflow.models.DagBag": _DAG_BAG,
    "airflow.models.dagbag": _DAG_BAG,
    "airflow.dag_processing": _DAG_BAG,
    "airflow.settings": _DATABASE,
    "airflow.utils.session": _DATABASE,
    "airflow.utils.db": _DATABASE,
    "airflow.utils.sqlalchemy": _DATABASE,
    "airflow.jobs": _SCHEDULER,
    "airflow.executors": _SCHEDULER,
    "airflow.api_fastapi": _SCHEDULER,
    "airflow.serialization": _SCHEDULER,
    "airflow.sdk.lineage": "there is no lineage collector here; use inlets and outlets",
    "airflow.lineage": "there is no lineage collector here; use inlets and outlets",
    "airflow.sdk.execution_time.cache": "variables and connections are not cached in the task's process",
    "airflow.plugins_manager": "there are no plugins here; put timetables and macros into modules beside DAG files",
}


def instead_of(path: str) -> str:
    """Returns what to use instead of a name or module; empty if nothing is known."""
    while path:
        if path in INSTEAD:
            return INSTEAD[path]
        path = path.rpartition(".")[0]
    return ""


def of_provider(path: str) -> str:
    """Returns what to do about a module of a provider that is not the standard one."""
    parts = path.split(".")[2:]
    provider = "-".join(parts[: 2 if parts[0] in VENDORS else 1])
    return (
        f"{path} is part of Airflow's provider {provider!r} (apache-airflow-providers-{provider}), which needs Airflow "
        "itself; run the task in an image with Airflow and the provider, or call the service's own client in a @task"
    )
