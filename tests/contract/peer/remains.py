"""
What one way of running the DAGs left behind, as facts: a name with slashes, and a value that two ways can be compared
by. What differs between any two runs (moments, ids, addresses) is replaced, and the ways' own names are made one.
"""

import json
import re

#: What no two runs have in common, and what it is replaced with. The DAGs' own moments are of another century.
CHANGING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
    (r"asset_triggered__[^/\"]+_\w{8}", "asset_triggered__<run>"),
    (r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "<moment>"),
    (r"00-[0-9a-f]{32}-[0-9a-f]{16}-0\d", "<trace>"),
    (r"datetime\(20\d\d, [\d, ]+", "datetime(<moment>, "),
    (r"0x[0-9a-f]{6,}", "<address>"),
    (r"/tmp/\w+", "<folder>"),
    (r"(pid|PID|process)[ =:]+\d+", r"\1 <pid>"),
    (r"\btheirs(?=[_ /\\-])", "ours"),
)
#: A larger number is a moment of this century, in seconds.
LATELY = 1e9
_INSTANCE = """state, try_number, max_tries, rendered_map_index, next_method, next_kwargs, trigger_id, unixname, pool, queue,
    operator, external_executor_id, retry_delay_override, retry_reason, task_display_name,
    start_date IS NOT NULL AS began, end_date IS NOT NULL AS ended, duration IS NOT NULL AS lasted,
    pid IS NOT NULL AS has_pid, hostname != '' AS has_host, context_carrier, span_status"""
#: For each table: a query by a pattern of DAG ids. A row is a fact for each column, below its ``place``.
QUERIES = {
    "task_instance": f"SELECT dag_id || '/' || task_id || '[' || map_index || ']' AS place, {_INSTANCE} "
    "FROM task_instance WHERE dag_id LIKE :ids",
    "task_instance_history": "SELECT dag_id || '/' || task_id || '[' || map_index || ']/' || try_number AS place, "
    f"{_INSTANCE} FROM task_instance_history WHERE dag_id LIKE :ids",
    "task_reschedule": "SELECT i.dag_id || '/' || i.task_id AS place, count(*) AS times FROM task_reschedule r "
    "JOIN task_instance i ON r.ti_id = i.id WHERE i.dag_id LIKE :ids GROUP BY 1",
    "task_map": "SELECT dag_id || '/' || task_id AS place, length, keys FROM task_map WHERE dag_id LIKE :ids",
    "xcom": "SELECT dag_id || '/' || task_id || '[' || map_index || ']/' || key AS place, value, dag_result FROM xcom "
    "WHERE dag_id LIKE :ids",
    "rendered_task_instance_fields": "SELECT dag_id || '/' || task_id || '[' || map_index || ']' AS place, "
    "rendered_fields, k8s_pod_yaml FROM rendered_task_instance_fields WHERE dag_id LIKE :ids",
    "asset_event": "SELECT a.name || ' by ' || e.source_task_id || '[' || e.source_map_index || ']' AS place, "
    "a.uri, e.extra, e.source_dag_id, e.source_run_id, e.partition_key, (SELECT group_concat(l.name) FROM "
    "asset_alias_asset_event le JOIN asset_alias l ON le.alias_id = l.id WHERE le.event_id = e.id) AS aliases "
    "FROM asset_event e JOIN asset a ON e.asset_id = a.id WHERE e.source_dag_id LIKE :ids",
    "task_state_store": "SELECT dag_id || '/' || task_id || '[' || map_index || ']/' || key AS place, run_id, value, "
    "expires_at IS NOT NULL AS expires FROM task_state_store WHERE dag_id LIKE :ids",
    "asset_state_store": "SELECT a.name || '/' || s.key AS place, s.value, s.last_updated_by_kind, "
    "s.last_updated_by_dag_id, s.last_updated_by_run_id, s.last_updated_by_task_id, s.last_updated_by_map_index "
    "FROM asset_state_store s JOIN asset a ON s.asset_id = a.id WHERE s.last_updated_by_dag_id LIKE :ids",
    "hitl_detail": "SELECT i.dag_id || '/' || i.task_id AS place, h.options, h.subject, h.body, h.defaults, "
    "h.multiple, h.params, h.assignees, h.responded_by, h.chosen_options, h.params_input FROM hitl_detail h "
    "JOIN task_instance i ON h.ti_id = i.id WHERE i.dag_id LIKE :ids",
    "dag_run": "SELECT dag_id || '/' || run_id AS place, run_type, state, conf, logical_date, triggered_by, "
    "clear_number, (SELECT content FROM dag_run_note n WHERE n.dag_run_id = dag_run.id) AS note FROM dag_run "
    "WHERE dag_id LIKE :ids",
    "variable": "SELECT key AS place, description FROM variable WHERE key LIKE :ids",
    "log": "SELECT dag_id || '/' || task_id || '[' || map_index || ']/' || try_number || '/' || event AS place, "
    # Each request that says `running` is noted, and a client that got no answer in time sends it again.
    "count(*) AS times FROM log WHERE dag_id LIKE :ids AND task_id IS NOT NULL AND event != 'running' GROUP BY 1",
}
IDS = ("ti_id", "dag_id", "task_id", "run_id", "try_number", "map_index")
_SEPARATE = ("timestamp", "level", "event", "logger", "error_detail", "pid", *IDS)


def of(instance, way):
    """All facts of a way."""
    facts = {}
    for table, query in QUERIES.items():
        for row in instance.rows(query.replace(":ids", "?"), f"{way}_%"):
            place = row.pop("place")
            facts |= {same(f"{table}/{place}/{column}"): same(_value(value)) for column, value in row.items()}
    dags = instance.rows("SELECT DISTINCT dag_id FROM dag_run WHERE dag_id LIKE ?", f"{way}_%")
    for dag in dags:
        for path, lines in instance.logs(dag["dag_id"]).items():
            facts |= _log(same(f"logs/{dag['dag_id']}/{path}"), lines)
    return facts


def same(value):
    """A value with what changes from run to run replaced in every text of it."""
    if isinstance(value, dict):
        return {same(key): same(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [same(inner) for inner in value]
    if isinstance(value, float) and value > LATELY:
        return "<moment>"
    if isinstance(value, str):
        for pattern, name in CHANGING:
            value = re.sub(pattern, name, value) if len(value) < 100_000 else value
    return value


def _value(value):
    """JSON columns are text in SQLite."""
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _log(name, lines):
    """
    A log's facts: for each logger what its lines say, in their order, then what else is in them. Loggers have streams
    of their own, so that the order between two of them is nobody's promise.
    """
    facts = {}
    for logger in {line.get("logger") for line in lines}:
        mine = [line for line in lines if line.get("logger") == logger]
        facts[f"{name}/{logger}/said"] = [[line.get("level"), line["event"]] for line in mine]
        facts[f"{name}/{logger}/moments"] = [re.sub(r"\d+", "0", str(line.get("timestamp"))) for line in mine]
        facts[f"{name}/{logger}/errors"] = [_error(line["error_detail"]) for line in mine if "error_detail" in line]
        facts[f"{name}/{logger}/ids"] = sorted({", ".join(key for key in IDS if key in line) for line in mine})
        facts[f"{name}/{logger}/more"] = [
            {key: value for key, value in line.items() if key not in _SEPARATE and not key.endswith("_ms")}
            for line in mine
        ]
    return {key: same(value) for key, value in facts.items()}


def _error(detail):
    return [{**error, "frames": [frame["name"] for frame in error["frames"]]} for error in detail]
