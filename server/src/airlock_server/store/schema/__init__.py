"""
The tables. ``migrations/`` makes them; a test checks that the two agree.

Ids are text (a uuid with its dashes) and times are UtcDateTime. So PostgreSQL needs no rewrite, and a person at a SQL
prompt can read them.
"""

from airlock_server.store.schema.access import (
    access_grant,
    connection,
    connection_test,
    variable,
)
from airlock_server.store.schema.assets import (
    alias_of_event,
    asset,
    asset_alias,
    asset_event,
    asset_of_alias,
    asset_state,
    asset_watcher,
    dag_asset,
    declared_asset,
)
from airlock_server.store.schema.columns import (
    MAX_KEY_CHARS,
    MAX_VARIABLE_CHARS,
    REVISION,
    RUN_KEY,
    metadata,
)
from airlock_server.store.schema.dags import (
    dag,
    dag_bundle,
    dag_version,
    dag_warning,
    import_error,
)
from airlock_server.store.schema.runs import (
    attempt,
    dag_run,
    hitl_detail,
    rendered_fields,
    state_write,
    task_instance,
    task_instance_history,
    task_state,
    xcom,
)

__all__ = [
    "MAX_KEY_CHARS",
    "MAX_VARIABLE_CHARS",
    "REVISION",
    "RUN_KEY",
    "access_grant",
    "alias_of_event",
    "asset",
    "asset_alias",
    "asset_event",
    "asset_of_alias",
    "asset_state",
    "asset_watcher",
    "attempt",
    "connection",
    "connection_test",
    "dag",
    "dag_asset",
    "dag_bundle",
    "dag_run",
    "dag_version",
    "dag_warning",
    "declared_asset",
    "hitl_detail",
    "import_error",
    "metadata",
    "rendered_fields",
    "state_write",
    "task_instance",
    "task_instance_history",
    "task_state",
    "variable",
    "xcom",
]
