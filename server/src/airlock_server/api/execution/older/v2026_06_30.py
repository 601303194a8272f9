"""2026-06-30: state stores, assets of an alias, keys of variables, tests of connections, teams, partition dates."""

from typing import Any

from airlock_server.api.execution.older.change import DAG_RUN, PREVIOUS, RUN, Change, without

_STORE = "/store/ti/{task_instance_id}"
_VALUES = tuple(f"/store/asset/{by}/value" for by in ("by-name", "by-uri"))
_CLEARS = tuple(f"/store/asset/{by}/clear" for by in ("by-name", "by-uri"))


def run_context(body: Any) -> None:
    """Removes a run's team, its partition date, and the partition keys of the asset events that it consumed."""
    dag_run = body["dag_run"]
    for name in ("team_name", "partition_date"):
        dag_run.pop(name, None)
    for event in dag_run.get("consumed_asset_events") or ():
        event.pop("partition_key", None)


CHANGE = Change(
    version="2026-06-30",
    added=frozenset(
        {
            ("GET", "/variables/keys"),
            ("GET", "/assets/by-alias"),
            ("PATCH", "/connection-tests/{connection_test_id}"),
            ("GET", "/connection-tests/{connection_test_id}/connection"),
            ("DELETE", _STORE),
            *((method, f"{_STORE}/{{key:path}}") for method in ("GET", "PUT", "DELETE")),
            *((method, pattern) for method in ("GET", "PUT", "DELETE") for pattern in _VALUES),
            *(("DELETE", pattern) for pattern in _CLEARS),
        }
    ),
    undo={
        RUN: run_context,
        DAG_RUN: without("team_name", "partition_date"),
        PREVIOUS: without("team_name", "partition_date"),
    },
)
