"""What both servers know before the calls, as plain data; ``drivers/seed.py`` and ``ours`` write it into a database."""

import uuid

#: The namespace of this world's ids: they are the same on both servers, and in every run.
_IDS = uuid.UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
#: What is younger than any moment of the world, but not a moment of the test's own.
YEAR = 2020
HOST, USER, PID = "host", "user", 1
STARTED = f"{YEAR}-01-05T00:00:00+00:00"
ENDED = f"{YEAR}-01-05T00:01:30+00:00"

#: The states in which a task instance has a launch, or had one.
_LAUNCHED = {
    "running",
    "restarting",
    "success",
    "failed",
    "skipped",
    "up_for_retry",
    "deferred",
    "up_for_reschedule",
    "awaiting_input",
}
_OVER = {"success", "failed", "skipped", "up_for_retry", "up_for_reschedule"}


def run(dag_id, run_id, state, day=None, **more):
    """A DAG run. With a ``day`` it has a logical date."""
    date = None if day is None else f"{YEAR}-01-{day:02}T00:00:00+00:00"
    over = state in ("success", "failed")
    return {
        "dag_id": dag_id,
        "run_id": run_id,
        "run_type": "manual",
        "state": state,
        "logical_date": date,
        "data_interval_start": date,
        "data_interval_end": date,
        "run_after": date or STARTED,
        "start_date": None if state == "queued" else STARTED,
        "end_date": ENDED if over else None,
        "conf": {"a": 1},
        "triggering_user_name": None,
        "note": None,
        **more,
    }


def asset(name, uri=None, **more):
    """An asset. Only an active one answers to its name alone."""
    return {"name": name, "uri": uri or f"s3://bucket/{name}", "group": "asset", "extra": {}, "active": True, **more}


def event(of, day, extra, **more):
    """An event of the asset with this URI."""
    return {
        "asset": of,
        "timestamp": f"{YEAR}-01-{day:02}T00:00:00+00:00",
        "extra": extra,
        "source_dag_id": "d",
        "source_run_id": "day1",
        "source_task_id": "t",
        "source_map_index": -1,
        "partition_key": None,
        "aliases": [],
        **more,
    }


class World:
    """
    Runs, task instances, variables, connections and tests of these, and assets. Cases add task instances of their own.
    ``dags`` says which tasks declare which assets, and ``ours`` says it for our server.
    """

    def __init__(self):
        self.runs = [
            run("d", "day1", "success", 1, note="the first", triggering_user_name="ada"),
            run("d", "day2", "failed", 2),
            run("d", "day3", "running", 3),
            run("d", "undated", "running"),
            run("d", "waiting", "queued", 4, conf={}),
            run("d", "pool", "running"),
            run("d", "clear-ended", "success", 6),
            run("d", "clear-live", "running", 7),
            run("broken", "r", "running", 1),
        ]
        self.instances = []
        self.dags = {"broken": {"has_import_errors": True}, "limited": {"allowed_run_types": ["scheduled"]}}
        self.variables = {"var": "a value", "a/b": "slashed", "greeting": "hello"}
        self.connections = [
            {"conn_id": "db", "conn_type": "postgres", "host": "h", "schema": "s", "login": "me", "password": "p",
             "port": 5432, "extra": '{"mode": "visible"}'},
            {"conn_id": "bare", "conn_type": "generic"},
        ]  # fmt: skip
        self.connection_tests = []
        self.assets = [
            asset("asset", group="sales", extra={"a": 1}),
            asset("second"),
            asset("cleared"),
            asset("second", "s3://old/second", active=False),
            asset("through"),
            asset("foreign"),
            asset("quiet", extra={"b": [None, "c"]}),
        ]
        self.aliases = [
            {"name": "alias", "assets": ["s3://bucket/asset", "s3://bucket/through"]},
            {"name": "empty", "assets": []},
        ]
        self.asset_events = [
            event("s3://bucket/quiet", 1, {"n": 1}),
            event("s3://bucket/quiet", 2, {}, partition_key="p", aliases=["alias"]),
            event("s3://bucket/quiet", 3, {"n": [3]}, source_map_index=2, source_task_id="mapped", aliases=["alias"]),
            event("s3://old/second", 1, {"n": 1}),
            event("s3://bucket/through", 3, {"by": "hand"}, source_dag_id=None, source_run_id=None,
                  source_task_id=None),
        ]  # fmt: skip
        self.asset_states = [
            {"asset": "s3://bucket/asset", "key": "k", "value": {"n": [1, None]}},
            {"asset": "s3://bucket/cleared", "key": "k", "value": 1},
            {"asset": "s3://bucket/foreign", "key": "k", "value": 1},
        ]
        for run_id, states in {
            "day1": {"t": "success", "report": "success", "load.fetch": "success", "load.store": "skipped"},
            "day2": {"t": "failed", "report": "upstream_failed", "load.fetch": "success", "load.store": "failed"},
            "day3": {"t": "running", "report": "none", "load.fetch": "success", "load.store": "queued"},
            "clear-ended": {
                "t": "success",
                "report": "failed",
                "load.fetch": "skipped",
                "load.store": "upstream_failed",
            },
            "clear-live": {"t": "running", "report": "queued", "load.fetch": "deferred", "load.store": "none"},
        }.items():
            for task_id, state in states.items():
                self._add(task_id, run_id, -1, state)

        for run_id in ("day1", "day2", "day3"):
            for map_index in (-1, 0, 1, 2):
                self._add("mapped", run_id, map_index, "success")

    def instance(self, state="running", task_id="t", **more):
        """A task instance for one case; its id."""
        return self._add(task_id, "pool", len(self.instances), state, **more)

    def connection_test(self, state="pending"):
        """A test of a connection for one case; its id."""
        test_id = str(uuid.uuid5(_IDS, f"test {len(self.connection_tests)}"))
        fields = {"conn_id": f"tried{len(self.connection_tests)}", "conn_type": "postgres", "password": "p", "port": 1}
        self.connection_tests.append({"id": test_id, "state": state, **fields})
        return test_id

    def data(self):
        """All of it, as JSON can hold it."""
        return dict(vars(self))

    def _add(self, task_id, run_id, map_index, state, **more):
        ti_id = str(uuid.uuid5(_IDS, f"{run_id} {task_id} {map_index}"))
        launched = state in _LAUNCHED
        self.instances.append(
            {
                "id": ti_id,
                "dag_id": "d",
                "run_id": run_id,
                "task_id": task_id,
                "map_index": map_index,
                "state": state,
                "try_number": 1,
                "max_tries": 0,
                "hostname": HOST if launched else None,
                "unixname": USER if launched else None,
                "pid": PID if launched else None,
                "start_date": STARTED if launched else None,
                "end_date": ENDED if state in _OVER else None,
                "duration": 90.0 if state in _OVER else None,
                **more,
            }
        )
        return ti_id
