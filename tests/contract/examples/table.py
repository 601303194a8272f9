"""
The one table of example DAGs that are not run, or that end differently, and why.

A row that no DAG needs any more fails the test, and so does a difference without a row.
"""

_CORE, _STANDARD = "example_dags", "providers/standard/example_dags"

NETWORK = "a task asks a service on the internet"
PACKAGES = "a task installs packages from a registry"
PERSON = "a task waits for a person"
OTHER_RUN = "a task waits for a run of another DAG, which a scheduler would start"
LONG = "its waits take longer than a minute"
PROVIDER = "it needs the provider cncf.kubernetes: without its client the file defines no DAG"

#: Files that are imported, and define no DAG here.
WITHOUT_DAGS = {
    f"{_CORE}/example_kubernetes_executor.py": PROVIDER,
    f"{_CORE}/example_local_kubernetes_executor.py": PROVIDER,
}

#: DAGs that are imported, and not run.
NOT_RUN = {
    "example_dag_decorator": NETWORK,
    "tutorial_objectstorage": NETWORK,
    "example_branch_operator": PACKAGES,
    "example_branch_python_operator_decorator": PACKAGES,
    "example_python_decorator": PACKAGES,
    "example_python_operator": PACKAGES,
    "tutorial_taskflow_api_virtualenv": PACKAGES,
    "example_hitl_operator": PERSON,
    "example_external_task": OTHER_RUN,
    "example_external_task_marker_child": OTHER_RUN,
    "example_retry_policy": LONG,
    "example_sensors": LONG,
}

#: Files that Airflow runs in an installation of their own: an asset of theirs has the URI of another example's asset.
OWN_AIRFLOW = (f"{_CORE}/example_outlet_event_extra.py",)

#: Files whose DAGs a run needs to be known: by us from a run of theirs, by Airflow from its bundle.
KNOWN_BEFORE = {
    "example_trigger_controller_dag": (f"{_CORE}/example_trigger_target_dag.py",),
}

#: Task instances that end differently, by DAG and instance; an empty instance is the run itself.
DIFFERENT: dict[tuple[str, str], str] = {}
