"""Calls of clients of older versions: what they may ask, what they may send, and how they are answered."""

import msgspec
from contract.difference.by_hand import call, own
from contract.difference.generated import BODIES, DECLARES, ENDED
from contract.difference.world import STARTED

#: What a version is asked by: its own date, a later one that is rounded down to it, and one before the oldest of ours.
VERSIONS = (
    "2026-06-30",
    "2026-06-29",
    "2026-04-06",
    "2026-04-05",
    "2025-11-05",
    "2025-11-04",
    "2025-04-11",
    "2020-01-01",
    "x",
)
#: Keyword arguments as Airflow's SDK writes them.
KWARGS = {
    "plain": [1, {"b": None}],
    "moment": {
        "__classname__": "datetime.datetime", "__version__": 2,
        "__data__": {"timestamp": 1767323045.5, "tz": {"__classname__": "builtins.tuple", "__version__": 1,
                     "__data__": ["UTC", "pendulum.tz.timezone.FixedTimezone", 1, True]}},
    },
    "duration": {"__classname__": "datetime.timedelta", "__version__": 2, "__data__": 90.5},
    "pair": {"__classname__": "builtins.tuple", "__version__": 1, "__data__": [1, {"a": 2}]},
    "set": {"__classname__": "builtins.set", "__version__": 1, "__data__": [1]},
    "date": {"__classname__": "datetime.date", "__version__": 2, "__data__": "2026-01-01"},
}  # fmt: skip
OLDER = {"__type": "dict", "__var": {"a": 1}}


def calls(world):
    """Every call, under each version."""
    for version in VERSIONS:
        for each in _of(world, version):
            headers = each.headers | {"Airflow-API-Version": version}
            yield msgspec.structs.replace(each, name=f"{each.name} as of {version}", headers=headers)


def _of(world, version):
    run = BODIES["ti_run"][""]
    for name, more in (
        ("a launch", {}),
        ("a launch that resumes", {"next_method": "go", "next_kwargs": KWARGS, "start_date": STARTED}),
        ("a launch that resumes as before", {"next_method": "go", "next_kwargs": OLDER, "start_date": STARTED}),
        ("a launch that resumes with nothing", {"next_method": "go", "next_kwargs": {}, "start_date": STARTED}),
    ):
        yield own("PATCH", "run", name, world.instance("queued", **more), run)
    for report in ("awaiting_input", "up_for_retry", "deferred", "success"):
        yield own("PATCH", "state", report, world.instance("running"), BODIES["ti_update_state"][report])
    short = {"state": "up_for_retry", **ENDED}
    yield own("PATCH", "state", "a short retry", world.instance("running"), short)
    for run_id in ("day1", "waiting", "never"):
        yield call("GET", "/dag-runs/{dag_id}/{run_id}", run_id, f"/dag-runs/d/{run_id}")
    query = [("dag_id", "d"), ("logical_date", "2020-01-02T00:00:00Z")]
    yield call("GET", "/dag-runs/previous", "the run before", query=query)
    yield call("GET", "/dag-runs/{dag_id}/previous", "the run before", "/dag-runs/d/previous", query=query[1:])
    yield call("GET", "/dag-runs/{dag_id}/previous", "no run before", "/dag-runs/never/previous", query=query[1:])
    yield call("GET", "/dags/{dag_id}", "a DAG", "/dags/d")
    yield call("GET", "/variables/keys", "names", query=[("prefix", "gre")])
    yield call("GET", "/variables/{variable_key}", "a variable", "/variables/var")
    name = version.replace("-", "_")
    for body in ({"conf": {"a": 1}}, {"note": "n"}, {"run_after": "2020-01-01T00:00:00Z"}, {"partition_key": None}):
        run_id = f"as_of_{name}_{next(iter(body))}"
        yield call("POST", "/dag-runs/{dag_id}/{run_id}", f"with {next(iter(body))}", f"/dag-runs/made/{run_id}", body)
    ti_id, test_id = world.instance("running"), world.connection_test()
    path = f"/store/ti/{ti_id}/k"
    yield call("PUT", "/store/ti/{task_instance_id}/{key}", "a kept value", path, {"value": 1}, ti_id)
    yield call("GET", "/store/ti/{task_instance_id}/{key}", "a kept value", path, subject=ti_id)
    yield call("DELETE", "/store/ti/{task_instance_id}", "the kept values", f"/store/ti/{ti_id}", subject=ti_id)
    yield from _assets(world.instance("running", task_id=DECLARES))
    pattern = "/connection-tests/{connection_test_id}"
    fetch = f"/connection-tests/{test_id}"
    yield call("GET", f"{pattern}/connection", "a test", f"{fetch}/connection", subject=test_id, scope="workload")
    yield call("PATCH", pattern, "a test", fetch, {"state": "success"}, test_id, "workload")


def _assets(ti_id):
    yield call("GET", "/assets/by-name", "an asset", query=[("name", "quiet")])
    yield call("GET", "/assets/by-uri", "an asset", query=[("uri", "s3://bucket/quiet")])
    yield call("GET", "/assets/by-alias", "an alias", query=[("alias_name", "alias")])
    yield call("GET", "/asset-events/by-asset", "events", query=[("name", "quiet"), ("uri", "")])
    yield call("GET", "/asset-events/by-asset-alias", "events", query=[("name", "alias")])
    yield own("GET", "validate-inlets-and-outlets", "inlets", ti_id)
    for field, text in (("name", "second"), ("uri", "s3://bucket/second")):
        value, query = f"/store/asset/by-{field}/value", [(field, text), ("key", "k")]
        yield call("PUT", value, "a kept value", body={"value": 1}, query=query, subject=ti_id)
        yield call("GET", value, "a kept value", query=query, subject=ti_id)
        yield call("DELETE", value, "a kept value", query=query, subject=ti_id)
        yield call("DELETE", f"/store/asset/by-{field}/clear", "kept values", query=query[:1], subject=ti_id)
