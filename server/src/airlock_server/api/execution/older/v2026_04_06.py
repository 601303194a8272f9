"""2026-04-06: DAGs, details of runs, notes, partition keys, and keyword arguments in the SDK's own form."""

from typing import Any

from airlock_server.api.execution.older.change import (
    DAG_RUN,
    PREVIOUS,
    PREVIOUS_OF_DAG,
    RUN,
    Change,
)
from airlock_server.api.execution.older.keyword_arguments import in_the_older_form


def run_context(body: Any) -> None:
    """Gives the context of a launch the form that Airflow 3.1's client reads."""
    dag_run = body["dag_run"]
    for name in ("partition_key", "note"):
        dag_run.pop(name, None)
    # That client takes a run that has not started for a fault.
    if dag_run.get("start_date") is None:
        dag_run["start_date"] = dag_run["run_after"]
    if body.get("next_kwargs") is not None:
        body["next_kwargs"] = in_the_older_form(body["next_kwargs"])
    # Its own SDK computes these since then.
    body["upstream_map_indexes"] = None
    body.pop("start_date", None)


def asset_events(body: Any) -> None:
    """Removes the partition key of each asset event."""
    for event in body["asset_events"]:
        event.pop("partition_key", None)


CHANGE = Change(
    version="2026-04-06",
    added=frozenset({PREVIOUS, DAG_RUN, ("GET", "/dags/{dag_id}")}),
    removed=frozenset({PREVIOUS_OF_DAG}),
    undo={
        RUN: run_context,
        ("GET", "/asset-events/by-asset"): asset_events,
        ("GET", "/asset-events/by-asset-alias"): asset_events,
    },
)
