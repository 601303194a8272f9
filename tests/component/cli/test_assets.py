"""Assets and what is kept for them and for tasks (AIP-103), by real tasks of this machine: the examples of the SDK."""

import json
import os
import subprocess
import sys

import pytest

#: Each of these starts many interpreters.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FILE = """
from airlock.sdk import DAG, Asset, AssetAlias, Metadata, Variable, task

ALIAS = AssetAlias("regional")
NORTH = Asset("north", "s3://sales/north")
ORDERS = Asset("orders", "S3://sales/orders/", extra={"owner": "me"})

with DAG("aip103"):

    @task(outlets=[ALIAS])
    def produce(outlet_events):
        outlet_events[ALIAS].add(NORTH, {"rows": 3})

    @task(inlets=[ALIAS])
    def consume(asset_state_store, inlet_events):
        before = asset_state_store.get("watermark", "never")
        asset_state_store[NORTH].set("watermark", "2026-01-02")
        events = inlet_events[ALIAS]
        return [before, asset_state_store[ALIAS].get("watermark"), events[0].extra, events[0].source_task_id, len(events)]

    @task
    def square(task_state_store, ti):
        match Variable.get("mode"):
            case "set":
                task_state_store.set("square", ti.map_index**2)
            case "one":
                task_state_store.clear()
            case "all":
                task_state_store.clear(all_map_indices=True)
        return task_state_store.get("square", "none")

    @task(outlets=[ORDERS])
    def keep(asset_state):
        asset_state.set("offset", 41)
        kept = [asset_state.get("offset")]
        asset_state.delete("offset")
        kept.append(asset_state.get("offset", "none"))
        for key in "ab":
            asset_state[Asset.ref(name="orders")].set(key, key)
        asset_state.clear()
        yield Metadata(ORDERS, {"rows": 1})
        return kept + [asset_state.get(key) for key in "ab"]

    @task(inlets=[ORDERS, NORTH])
    def several(asset_state_store):
        asset_state_store.get("x")

    @task(inlets=[ORDERS])
    def reads(inlet_events):
        return [event.extra for event in inlet_events[ORDERS].ascending(False).limit(5)]

    produce(), consume(), square(), keep(), several(), reads()

with DAG("rival"):

    @task(outlets=[Asset("orders", "s3://rival/orders")])
    def writes():
        raise RuntimeError("it must not begin")

    @task
    def takes(ti):
        # A task that asks for what it did not declare, as hostile code can.
        from airlock.sdk import _channel
        from airlock_wire.protocol.stores import GetAssetStateStoreByName, SetAssetStateStoreByName

        answers = []
        for message in (
            GetAssetStateStoreByName(name="orders", key="a"), SetAssetStateStoreByName(name="orders", key="a", value=1)
        ):
            try:
                answers.append(type(_channel.ask(message, "x")).__name__)
            except Exception as e:
                answers.append(str(e))
        return answers

    writes(), takes()
"""
BACKEND = """
import json, pathlib

HERE = pathlib.Path(__file__).parent / "kept"

class Files:
    def _path(self, scope, key):
        return HERE / f"{getattr(scope, 'task_id', None) or scope.name}-{key}.json"

    def serialize_task_state_store_to_ref(self, *, value, key, scope):
        HERE.mkdir(exist_ok=True)
        self._path(scope, key).write_text(json.dumps(value))
        return str(self._path(scope, key))

    def deserialize_task_state_store_from_ref(self, reference):
        return json.loads(pathlib.Path(reference).read_text())

    serialize_asset_state_store_to_ref = serialize_task_state_store_to_ref
    deserialize_asset_state_store_from_ref = deserialize_task_state_store_from_ref

    def delete(self, scope, key):
        self._path(scope, key).unlink(missing_ok=True)

    def clear(self, scope, all_map_indices=False):
        for path in HERE.glob(f"{getattr(scope, 'task_id', None) or scope.name}-*.json"):
            path.unlink()
"""


class Machine:
    """A home, and a folder with the DAG file."""

    def __init__(self, folder):
        self._folder = folder
        (folder / "assets.py").write_text(FILE)
        self.settings = {}

    def call(self, *words):
        environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(self._folder / "home"), **self.settings}
        return subprocess.run(
            [sys.executable, "-m", "airlock_server", *map(str, words)],
            env=environ, cwd=self._folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def run(self, task_id, *words, state="success"):
        """What the task returned; its log where it returned nothing."""
        ended = self.call("tasks", "run", "assets.py", task_id, *words)
        assert f"state      {state}" in ended.stdout, ended.stdout + ended.stderr
        lines = [line for line in ended.stdout.splitlines() if line.startswith("result ")]
        return json.loads(lines[0].removeprefix("result ")) if lines else ended.stdout


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_consumer_finds_the_asset_behind_the_alias_and_the_watermark_of_the_run_before(machine):
    machine.run("produce")
    first = machine.run("consume")
    assert ["never", "2026-01-02", {"rows": 3}, "produce", 1] == first
    assert "2026-01-02" == machine.run("consume")[0]


def test_each_map_index_keeps_its_own_and_one_or_all_are_cleared(machine):
    def mode(word, *indexes):
        assert 0 == machine.call("variables", "set", "mode", word).returncode
        return [machine.run("square", "--run-id", "r", "--map-index", index) for index in indexes]

    assert [0, 1, 16] == mode("set", 0, 1, 4)
    assert ["none"] == mode("one", 1)
    assert [0, "none", 16] == mode("read", 0, 1, 4)
    assert ["none"] == mode("all", 4)
    assert ["none", "none", "none"] == mode("read", 0, 1, 4)


def test_a_value_of_an_asset_is_put_got_deleted_and_cleared_and_its_event_is_there(machine):
    assert [41, "none", None, None] == machine.run("keep")
    assert [{"rows": 1}] == machine.run("reads")


def test_a_task_with_several_assets_must_say_which(machine):
    log = machine.run("several", state="failed")
    assert "this one has 2 (orders, north); say which: asset_state_store[ASSET].get(...)" in log


def test_a_task_whose_outlet_is_not_active_fails_before_its_code_runs(machine):
    machine.run("keep")
    log = machine.run("writes", state="failed")
    assert "not active: 'orders' (s3://rival/orders)" in log
    assert "it must not begin" not in log


def test_the_server_refuses_a_task_that_did_not_declare_the_asset(machine):
    machine.run("keep")
    answers = machine.run("takes")
    assert 2 == len(answers)
    assert all("declare it in inlets or outlets" in answer for answer in answers), answers


def test_a_class_named_in_the_settings_keeps_the_values(machine, tmp_path):
    (tmp_path / "backend.py").write_text(BACKEND)
    machine.settings = {
        "AIRLOCK__STATE_STORE__WORKER_BACKEND": "backend.Files",
        "AIRLOCK__LOCAL__RUNNER_UID": str(os.getuid()),
    }
    machine.call("variables", "set", "mode", "set")
    assert 9 == machine.run("square", "--run-id", "r", "--map-index", 3)
    assert "9" == (tmp_path / "kept" / "square-square.json").read_text()
    machine.call("variables", "set", "mode", "one")
    assert "none" == machine.run("square", "--run-id", "r", "--map-index", 3)
    assert [41, "none", None, None] == machine.run("keep")
    assert [] == list((tmp_path / "kept").iterdir())


def test_a_function_that_is_an_asset_reads_one_of_another_dag_of_the_file(machine, tmp_path):
    (tmp_path / "functions.py").write_text(
        "from airlock.sdk import asset\n"
        "@asset(schedule=None, uri='s3://m/one')\ndef one(self): return self.uri\n"
        "@asset(schedule=one)\ndef two(one): return one.uri\n"
    )

    ended = machine.call("dags", "test", "functions.py", "two")

    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert '"s3://m/one"' in ended.stdout
