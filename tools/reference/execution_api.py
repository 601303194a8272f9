"""
Writes the page of the Execution API: each operation, who may call it, and the statuses of its answers.

The operations and their tokens are read from the server's routes. The statuses are those that the contract tests saw
when they sent Airflow's server and ours the same calls; ``statuses.json`` has them.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from airlock_server.api.execution.older import serving
from airlock_server.api.execution.routes import ROUTES
from airlock_server.api.execution.routing import WORKLOAD, Route
from airlock_server.rules.fencing import SETTLED_FOR, Standing
from reference import markdown

#: The operations of the newest version.
NEWEST = [each for each in ROUTES if serving.serves((), (each.method, each.pattern))]
STATUSES = Path(__file__).with_name("statuses.json")

HEAD = """\
# Execution API

The server speaks Airflow 3.3's Execution API, below `/execution`. This page is written by `make manifests` from the
server's routes, and from the statuses that `make contract` saw: it sends a real Airflow 3.3.2 and our server the same
calls, good and bad. What differs beyond the statuses is in `tests/contract/difference/differences.py`, with the
reasons.

Beside the statuses below, both answer 401 without a token, 403 to a token that is not valid or not for the operation,
and 422 to values that are not valid. Ours answers 410 to a pod that another has replaced, 413 to a body that is too
large, and 503 while the database is busy. A call that changes something may be sent twice: the second one changes
nothing more.

"By grant" holds where `[access] default` is `granted`, and for the tokens of TaskRuns' pods ([several
teams](../guides/multi-tenancy.md#grants-what-a-namespaces-tasks-may-read-or-start)). Which tasks have an asset among
their inlets and outlets, [State and assets](../guides/state-and-assets.md#who-may) says.
"""
#: The operations that Airflow does not have, and why ours does.
OURS_ALONE = {
    "DELETE /store/task/{task_instance_id}": "It removes what all map indexes of a task keep:\n"
    "`task_state_store.clear(all_map_indices=True)`. Airflow's own route would ignore a parameter that asks for this,\n"
    "and would remove less than the author believes.",
}
_COMMON = frozenset({401, 403, 422})

#: What holds beside the token, by the beginning of the pattern; the first one that fits counts.
RULES = (
    ("/variables/keys", "those that are granted"),
    ("/variables", "reads by grant; a pod changes none where grants count"),
    ("/connections", "by grant"),
    ("/xcoms", "a pod reads those of its own DAG and namespace, and writes its own"),
    ("/dags", "a pod sees the DAGs of bundles and of its namespace"),
    ("/assets", "by grant"),
    ("/asset-events", "by grant"),
    ("/dag-runs", "a pod sees the runs of its namespace"),
    ("/task-instances", "a pod sees the runs of its namespace"),
)
#: The beginning of the patterns of what is kept for assets, and whom it is open to.
_STORE_OF_ASSETS = "/store/asset/"
_DECLARING = "a task with the asset in its inlets, its outlets or `spec.access.assetStores`; by grant"
#: The same for what makes or changes runs.
_CHANGES_RUNS = "by grant; the run belongs to the pod's namespace"


def page() -> str:
    """Write the whole page."""
    head = ("operation", "who may call it", "Airflow 3.3.2", "Airlock")
    alone = [f"Airflow does not have {markdown.code(name)}.\n{why}" for name, why in OURS_ALONE.items()]
    return "\n".join([HEAD, *alone, "", markdown.table(head, _rows())])


def _rows() -> Iterable[tuple[str, str, str, str]]:
    statuses = json.loads(STATUSES.read_text())
    for route in sorted(NEWEST, key=lambda each: (each.pattern, each.method)):
        name = operation(route)
        seen = statuses.get(name, {"airflow": [], "airlock": []})
        yield markdown.code(name), who(route), _listed(seen["airflow"]), _listed(seen["airlock"])


def operation(route: Route) -> str:
    """Name an operation as an OpenAPI document does."""
    return f"{route.method} {route.pattern.replace(':path}', '}')}"


def who(route: Route) -> str:
    """Say which token opens a route, and what holds beside it."""
    if route.scopes is None:
        return "anybody"
    if route.scopes == WORKLOAD:
        return "the worker that was given the test, with its workload token"
    if route.own:
        also = ", also with its workload token" if "workload" in route.scopes else ""
        return f"the task instance itself{also}{_LATE[route.opens]}"
    if route.pattern.startswith("/dag-runs") and route.method == "POST":
        return f"any task, {_CHANGES_RUNS}"
    if route.pattern.startswith(_STORE_OF_ASSETS):
        return _DECLARING
    rule = next((text for start, text in RULES if route.pattern.startswith(start)), "")
    return f"any task; {rule}" if rule else "any task"


_MINUTES = int(SETTLED_FOR.total_seconds() // 60)
_LATE = {
    Standing.CURRENT: "",
    Standing.SETTLED: f", until {_MINUTES} minutes after its end",
    Standing.EXPIRED: ", also after its end",
}


def _listed(codes: list[int]) -> str:
    """Write statuses; those that every operation has are left out."""
    own = [str(code) for code in codes if code not in _COMMON and code < 500]
    failed = ["500"] if any(code >= 500 for code in codes) else []
    return ", ".join(own + failed)
