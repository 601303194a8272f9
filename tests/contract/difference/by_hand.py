"""Calls that a document does not tell of: every state against every report, replays, sequences and pages."""

import json

from contract.difference.calls import JSON, NOBODY, Call
from contract.difference.generated import BODIES
from contract.difference.world import HOST, PID

STATES = (
    "none", "scheduled", "queued", "running", "restarting", "success", "failed", "skipped", "removed",
    "upstream_failed", "up_for_retry", "up_for_reschedule", "deferred", "awaiting_input",
)  # fmt: skip
RUN = BODIES["ti_run"][""]
REPORTS = BODIES["ti_update_state"] | {state: {"state": state} for state in ("queued", "scheduled", "restarting")}


def calls(world):
    """Every call by hand, in the order in which they are sent."""
    yield from _xcoms()
    yield from _launches(world)
    yield from _replays(world)
    yield from _kept(world)
    yield from _runs()
    yield from _instances()
    yield from _variables()
    yield from _connection_tests(world)


def call(method, pattern, name, path=None, body=None, subject=NOBODY, scope="execution", query=(), **more):
    raw = None if body is None else json.dumps(body).encode()
    return Call(
        name=name, operation=f"{method} {pattern}", method=method, path=path or pattern, query=list(query), body=raw,
        headers=JSON if raw is not None else {}, subject=subject, scope=scope, **more,
    )  # fmt: skip


def own(method, operation, name, ti_id, body=None, **more):
    pattern = f"/task-instances/{{task_instance_id}}/{operation}"
    return call(method, pattern, name, f"/task-instances/{ti_id}/{operation}", body, ti_id, **more)


def _launches(world):
    """Each state against each call that a launch makes."""
    for state in STATES:
        yield own("PATCH", "run", f"from {state}", world.instance(state), RUN)
        for field, value in (("hostname", "other"), ("unixname", "other"), ("pid", 2)):
            yield own("PATCH", "run", f"from {state} with another {field}", world.instance(state), RUN | {field: value})
        yield own("PATCH", "run", f"from {state} by a workload token", world.instance(state), RUN, scope="workload")
        for host, pid in ((HOST, PID), ("other", PID), (HOST, 2)):
            name = f"in {state} of {host} {pid}"
            yield own("PUT", "heartbeat", name, world.instance(state), {"hostname": host, "pid": pid})
        for report, body in REPORTS.items():
            yield own("PATCH", "state", f"from {state} to {report}", world.instance(state), body)


def _replays(world):
    for report in ("success", "failed", "up_for_retry", "deferred", "up_for_reschedule", "awaiting_input"):
        ti_id = world.instance("running", max_tries=1)
        for number in (1, 2):
            yield own("PATCH", "state", f"{report}, call {number}", ti_id, REPORTS[report])
        yield own("PUT", "heartbeat", f"after {report}", ti_id, {"hostname": HOST, "pid": PID})
        yield own("PUT", "rtif", f"after {report}", ti_id, {"a": 1})
        yield own("PATCH", "rendered-map-index", f"after {report}", ti_id, "name")
        yield own("PATCH", "run", f"after {report}", ti_id, RUN)
        yield own("GET", "previous-successful-dagrun", f"after {report}", ti_id)
        yield call(
            "GET", "/task-reschedules/{task_instance_id}/start_date", f"after {report}",
            f"/task-reschedules/{ti_id}/start_date", subject=ti_id,
        )  # fmt: skip
    for tries, name in ((0, "no retries"), (1, "one retry"), (2, "two retries")):
        yield own("PATCH", "run", f"with {name}", world.instance("queued", max_tries=tries), RUN)
    ti_id = world.instance("running")
    yield own("PATCH", "rendered-map-index", "empty", ti_id, "")
    for reason in ("x" * 500, "x" * 501, "x" * 10_000):
        body = REPORTS["up_for_retry"] | {"retry_reason": reason}
        yield own("PATCH", "state", f"with a reason of {len(reason)}", world.instance("running"), body)
    for key in ("k", " ", "", "x" * 250, "x" * 251, 5):
        events = [{"dest_asset_key": {"name": "a", "uri": "a"}, "extra": {}, "partition_key": key}]
        body = REPORTS["success"] | {"outlet_events": events}
        yield own(
            "PATCH",
            "state",
            f"success with a partition key like {str(key)[:3]!r} of {len(str(key))}",
            world.instance("running"),
            body,
        )


def _kept(world):
    """The task's state store and its questions, in the order of a task."""
    ti_id = world.instance("running")
    pattern = "/store/ti/{task_instance_id}/{key}"
    for key in ("plain", "a/b", "x" * 512, "x" * 513, "%C3%A4"):
        path = f"/store/ti/{ti_id}/{key}"
        tell = f"{key[:8]} ({len(key)})"
        yield call("GET", pattern, f"{tell} before it is kept", path, subject=ti_id)
        for value in ({"a": [1, None]}, "text", 0, False, [], None):
            yield call("PUT", pattern, f"{tell} as {value!r}", path, {"value": value}, ti_id)
            yield call("GET", pattern, f"{tell} after {value!r}", path, subject=ti_id)
        for number in (1, 2):
            yield call("DELETE", pattern, f"{tell}, call {number}", path, subject=ti_id)
    yield call(
        "PUT",
        pattern,
        "that is over",
        f"/store/ti/{ti_id}/old",
        {"value": 1, "expires_at": "2020-01-01T00:00:00Z"},
        ti_id,
    )
    yield call("GET", pattern, "that is over", f"/store/ti/{ti_id}/old", subject=ti_id)
    yield call("PUT", pattern, "to clear", f"/store/ti/{ti_id}/cleared", {"value": 1}, ti_id)
    for number in (1, 2):
        yield call(
            "DELETE", "/store/ti/{task_instance_id}", f"clear, call {number}", f"/store/ti/{ti_id}", subject=ti_id
        )
    yield call("GET", pattern, "that was cleared", f"/store/ti/{ti_id}/cleared", subject=ti_id)

    pattern, path = "/hitlDetails/{task_instance_id}", f"/hitlDetails/{ti_id}"
    question = {"ti_id": ti_id, "options": ["a", "b"], "subject": "s", "params": {}, "assigned_users": [], "type": "x"}
    answer = {"ti_id": ti_id, "chosen_options": ["a"], "params_input": {"n": 1}}
    yield call("GET", pattern, "before it is asked", path, subject=ti_id)
    yield call("PATCH", pattern, "before it is asked", path, answer, ti_id)
    for number in (1, 2):
        yield call("POST", pattern, f"asked, call {number}", path, question, ti_id)
        yield call("GET", pattern, f"asked, call {number}", path, subject=ti_id)
    yield call("POST", pattern, "asked anew", path, question | {"subject": "other"}, ti_id)
    for number in (1, 2):
        yield call("PATCH", pattern, f"answered, call {number}", path, answer, ti_id)
        yield call("GET", pattern, f"answered, call {number}", path, subject=ti_id)
    yield call("POST", pattern, "asked after the answer", path, question, ti_id)
    yield call("GET", pattern, "asked after the answer", path, subject=ti_id)


def _xcoms():
    pattern = "/xcoms/{dag_id}/{run_id}/{task_id}/{key}"
    at = "/xcoms/d/{}/mapped/{}"
    for run_id, key, values in (
        ("day1", "value", ["first"]),
        ("day2", "value", ["second"]),
        ("day1", "many", [0, "one", None]),
    ):
        for index, value in enumerate(values):
            query = [("map_index", str(index))] if len(values) > 1 else []
            yield call("POST", pattern, f"{run_id} {key} {index}", at.format(run_id, key), value, query=query)
    yield call("POST", pattern, "with slashes in its key", at.format("day1", "a/b c"), 1)
    yield call("GET", pattern, "with slashes in its key", at.format("day1", "a/b c"))
    yield call("POST", pattern, "without a body", at.format("day1", "nothing"))
    yield call("GET", pattern, "that is null", at.format("day1", "nothing"))
    for length in (512, 513):
        yield call("POST", pattern, f"with a key of {length}", at.format("day1", "x" * length), 1)
    yield call("POST", pattern, "of an unknown run", at.format("never", "k"), 1)
    for length in ("0", "1024", "1025", "-1"):
        yield call(
            "POST",
            pattern,
            f"of mapped length {length}",
            at.format("day1", f"length{length}"),
            1,
            query=[("mapped_length", length)],
        )
    for key in ("many", "value", "never"):
        path = at.format("day1", key)
        yield call("HEAD", pattern, key, path)
        yield call("HEAD", pattern, f"{key} with a map index", path, query=[("map_index", "0")])
        for index in ("-1", "0", "1", "2", "3"):
            yield call("GET", pattern, f"{key} at {index}", path, query=[("map_index", index)])
            yield call("GET", pattern, f"{key} by offset {index}", path, query=[("offset", index)])
            yield call("GET", f"{pattern}/item/{{offset}}", f"{key} {index}", f"{path}/item/{index}")
        for start, stop, step in (
            (None, None, None), (0, 2, None), (1, None, None), (None, None, -1), (-2, None, None), (None, -1, None),
            (2, 0, -1), (0, 0, None), (5, 9, None), (None, None, 0), (None, None, 2), (-9, 9, 1), (-1, -3, -1),
        ):  # fmt: skip
            query = [(n, str(v)) for n, v in (("start", start), ("stop", stop), ("step", step)) if v is not None]
            yield call("GET", f"{pattern}/slice", f"{key} [{start}:{stop}:{step}]", f"{path}/slice", query=query)
    prior = ("include_prior_dates", "true")
    for run_id in ("day1", "day2", "day3"):
        path = at.format(run_id, "value")
        yield call("GET", pattern, f"of {run_id} or before", path, query=[prior])
        yield call("GET", pattern, f"of {run_id} or before by offset", path, query=[prior, ("offset", "0")])
        yield call("GET", f"{pattern}/slice", f"of {run_id} or before", f"{path}/slice", query=[prior])
    for number in (1, 2):
        yield call(
            "DELETE", pattern, f"one of many, call {number}", at.format("day1", "many"), query=[("map_index", "1")]
        )
    yield call("GET", pattern, "that was removed", at.format("day1", "many"), query=[("map_index", "1")])
    yield call("HEAD", pattern, "many after one was removed", at.format("day1", "many"))


def _runs():
    pattern = "/dag-runs/{dag_id}/{run_id}"
    for run_id in ("day1", "day2", "day3", "undated", "waiting"):
        yield call("GET", pattern, run_id, f"/dag-runs/d/{run_id}")
        yield call("GET", f"{pattern}/state", run_id, f"/dag-runs/d/{run_id}/state")
    for name, path, body in (
        ("new", "made/new", {}),
        ("new again", "made/new", {}),
        ("new again to reset", "made/new", {"reset_dag_run": True}),
        ("dated", "made/dated", {"logical_date": "2020-03-01T00:00:00Z", "conf": {"x": 1}, "note": "n"}),
        ("of a logical date that a run has", "made/dated-too", {"logical_date": "2020-03-01T00:00:00Z"}),
        ("later", "made/later", {"run_after": "2020-04-01T00:00:00Z", "logical_date": "2020-04-02T00:00:00Z"}),
        ("with a partition key", "made/partition", {"partition_key": "k"}),
        ("with an id with dots", "made/a..b", {}),
        ("with an id that looks scheduled", "made/scheduled__2020-01-01T00:00:00+00:00", {}),
        ("of a DAG with import errors", "broken/new", {}),
        ("of a DAG that allows no such run", "limited/new", {}),
        ("of an unknown DAG", "never/new", {}),
        ("of a partitioned DAG", "partitioned/new", {"partition_key": "k"}),
        ("of a partitioned DAG with a blank key", "partitioned/blank", {"partition_key": " "}),
        ("of a partitioned DAG with an empty key", "partitioned/empty", {"partition_key": ""}),
        ("of a partitioned DAG with a long key", "partitioned/long", {"partition_key": "k" * 251}),
    ):
        yield call("POST", pattern, name, f"/dag-runs/{path}", body)
    for run_id in ("new", "dated", "later", "dated-too"):
        yield call("GET", pattern, f"{run_id} that a task made", f"/dag-runs/made/{run_id}")
    yield call("GET", pattern, "that a task made of a partitioned DAG", "/dag-runs/partitioned/new")
    for dag_id in ("d", "partitioned", "broken", "limited"):
        yield call("GET", "/dags/{dag_id}", dag_id, f"/dags/{dag_id}")
    for dag_id, run_id in (("d", "clear-ended"), ("d", "clear-live"), ("made", "new")):
        for number in (1, 2):
            yield call("POST", f"{pattern}/clear", f"{run_id}, call {number}", f"/dag-runs/{dag_id}/{run_id}/clear")
            yield call("GET", pattern, f"{run_id} after clear {number}", f"/dag-runs/{dag_id}/{run_id}")
            query = [("dag_id", dag_id), ("run_ids", run_id)]
            yield call("GET", "/task-instances/states", f"{run_id} after clear {number}", query=query)
    yield call("POST", f"{pattern}/clear", "of a DAG with import errors", "/dag-runs/broken/r/clear")
    for states in (["success"], ["failed", "success"], ["never"], []):
        query = [("dag_id", "d"), *(("states", each) for each in states)]
        yield call("GET", "/dag-runs/count", f"in {states}", query=[*query, ("run_ids", "day1"), ("run_ids", "day2")])
    for date in ("2020-01-01", "2020-01-02", "2020-01-03", "2020-12-01"):
        for state in (None, "success", "failed", "running", "queued"):
            query = [("dag_id", "d"), ("logical_date", f"{date}T00:00:00Z"), *([("state", state)] if state else [])]
            yield call("GET", "/dag-runs/previous", f"before {date} in {state}", query=query)


def _instances():
    runs = [("run_ids", each) for each in ("day1", "day2", "day3")]
    for name, query in (
        ("all", []),
        ("of tasks", [("task_ids", "t"), ("task_ids", "report")]),
        ("of a group", [("task_group_id", "load")]),
        ("of a group and a task", [("task_group_id", "load"), ("task_ids", "t")]),
        ("of a group and a task in it", [("task_group_id", "load"), ("task_ids", "load.fetch")]),
        ("of an unknown group", [("task_group_id", "never")]),
        ("of a task as a group", [("task_group_id", "t")]),
        ("of a map index", [("map_index", "-1")]),
        ("of another map index", [("map_index", "0")]),
        ("of dates", [("logical_dates", "2020-01-01T00:00:00Z"), ("logical_dates", "2020-01-02T00:00:00Z")]),
        ("of a date that no run has", [("logical_dates", "2020-01-01T00:00:01Z")]),
    ):
        base = [("dag_id", "d"), *runs, *query]
        yield call("GET", "/task-instances/states", name, query=base)
        for states in ([], ["success"], ["null"], ["null", "failed"], ["never"]):
            query_states = [("states", each) for each in states]
            yield call("GET", "/task-instances/count", f"{name} in {states}", query=base + query_states)
    yield call(
        "GET",
        "/task-instances/count",
        "of a group of an unknown DAG",
        query=[("dag_id", "never"), ("task_group_id", "load")],
    )
    for run_id in ("day1", "day2", "day3", "never"):
        yield call("GET", "/task-instances/breadcrumbs", run_id, query=[("dag_id", "d"), ("run_id", run_id)])
    pattern = "/task-instances/previous/{dag_id}/{task_id}"
    for task_id in ("t", "report", "load.fetch", "never"):
        for date in ("2020-01-01", "2020-01-02", "2020-01-04"):
            for state in (None, "success", "failed"):
                query = [("logical_date", f"{date}T00:00:00Z"), *([("state", state)] if state else [])]
                yield call(
                    "GET",
                    pattern,
                    f"{task_id} before {date} in {state}",
                    f"/task-instances/previous/d/{task_id}",
                    query=query,
                )


def _variables():
    for prefix in ("", "a", "a/", "gre", "never", "%", "_"):
        yield call(
            "GET", "/variables/keys", f"with the prefix {prefix!r}", query=[("prefix", prefix)] if prefix else []
        )
    for limit, offset in (("1", "0"), ("1", "1"), ("10000", "0"), ("10001", "0"), ("0", "0"), ("1", "-1"), ("5", "99")):
        yield call(
            "GET",
            "/variables/keys",
            f"{limit} from {offset}",
            query=[("limit", limit), ("offset", offset), ("prefix", "a")],
        )
    pattern = "/variables/{variable_key}"
    yield call("GET", pattern, "with a slash", "/variables/a/b")
    for length in (250, 251):
        path = f"/variables/{'x' * length}"
        yield call("PUT", pattern, f"of {length} characters", path, {"val": "1"})
        yield call("DELETE", pattern, f"of {length} characters", path)
    for body in (
        {"val": "x"},
        {"value": "x"},
        {"val": None},
        {"val": "x", "value": "y"},
        {"val": "x", "description": None},
        {"val": ""},
    ):
        yield call("PUT", pattern, f"of {json.dumps(body)}", "/variables/written", body)
        yield call("GET", pattern, f"after {json.dumps(body)}", "/variables/written")
    for number in (1, 2):
        yield call("DELETE", pattern, f"call {number}", "/variables/written")
    yield call("GET", pattern, "that was removed", "/variables/written")
    yield call("GET", "/connections/{connection_id}", "bare", "/connections/bare")


def _connection_tests(world):
    pattern = "/connection-tests/{connection_test_id}"
    for state in ("pending", "queued", "running", "success", "failed"):
        test_id = world.connection_test(state)
        for number in (1, 2):
            yield call(
                "GET",
                f"{pattern}/connection",
                f"from {state}, call {number}",
                f"/connection-tests/{test_id}/connection",
                subject=test_id,
                scope="workload",
            )
        for result in ("success", "failed", "running", "never"):
            yield call(
                "PATCH",
                pattern,
                f"from {state} to {result}",
                f"/connection-tests/{test_id}",
                {"state": result},
                test_id,
                "workload",
            )
        name = f"tried{len(world.connection_tests) - 1}"
        yield call("GET", "/connections/{connection_id}", f"whose test was {state}", f"/connections/{name}")
    for length in (2000, 2001):
        test_id = world.connection_test()
        body = {"state": "failed", "result_message": "x" * length}
        yield call(
            "PATCH", pattern, f"with a message of {length}", f"/connection-tests/{test_id}", body, test_id, "workload"
        )
