"""One task instance that runs, on a server of ours."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

from bench import servers

from airlock_server.installation import Installation
from airlock_server.store import tries as store
from airlock_server.store import variables
from airlock_server.store.engine.types import now
from airlock_wire.identity import TaskInstanceKey

DAG_ID, RUN_ID, TASK_ID = "bench", "manual__bench", "bench"
#: The process that it runs in, as it says.
IDENTITY = {"hostname": "bench", "pid": os.getpid()}


def queue(home: Path, database: str = "") -> tuple[str, str]:
    """Queues it, and makes a variable; returns its id and its workload token."""
    with Installation(servers.airlock_env(home, 0, database)) as installation:

        def write(conn: Any) -> str:
            store.claim_dag(conn, DAG_ID, "bench")
            variables.put(conn, installation.encryption, "bench", "a value", None)
            return store.queue_task(
                conn,
                TaskInstanceKey(DAG_ID, RUN_ID, TASK_ID),
                try_number=1,
                max_tries=0,
                conf=None,
                now=now(),
            )

        ti_id = installation.database.write(write)
        return ti_id, installation.tokens.mint_workload(ti_id)


def enter(url: str, ti_id: str, token: str) -> str:
    """Enters running, as a sidecar does; returns the execution token that it gets for its workload token."""
    body = {"state": "running", "unixname": "bench", "start_date": now().isoformat(), **IDENTITY}
    request = urllib.request.Request(
        f"{url}/task-instances/{ti_id}/run",
        method="PATCH",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        refreshed: str = answer.headers["Refreshed-API-Token"]
    return refreshed
