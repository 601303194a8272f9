"""
schemathesis makes calls from the OpenAPI document of the installed Airflow, and finds no status of ours beyond 500, and none
that our page of the Execution API does not have.

Our server publishes no document of its own. Airflow's lists fewer statuses than its server sends, so those of our page
are added to it: those are what is tried here.
"""

import copy
import json
import os
import subprocess
from pathlib import Path

import pytest
from contract.difference import ours
from contract.difference.conftest import KEY
from contract.difference.generated import DECLARES
from contract.difference.world import World
from doubles.postgresql import PostgreSQL

from airlock_server.keys.tokens import Tokens
from airlock_server.settings import JwtSettings
from reference import execution_api

ROOT = Path(__file__).parents[3]
CHECKS = "not_a_server_error,status_code_conformance"
#: What every operation may answer with: no token, not this token, not these values, not this method, too much, busy.
COMMON = (401, 403, 405, 413, 422)
#: A path whose parts are empty or have slashes is another path.
NO_ROUTE = 404
SECONDS, LONG_SECONDS = 500, 3000
LASTING_SECONDS = 7200
EXAMPLES, MANY_EXAMPLES = 25, 300
#: What it prints where its token opened nothing, and where it has tried anything.
ONLY_REFUSED, ALL_PASSED = "Authentication failed", "generated, "

pytestmark = [pytest.mark.slow(seconds=120), pytest.mark.timeout(SECONDS + 100)]


@pytest.fixture(scope="session")
def schemathesis():
    """The program; where it is absent the test cannot run, and in CI that is a failure."""
    program = Path(os.environ.get("AIRLOCK_SCHEMATHESIS") or ROOT / ".venvs/schemathesis/bin/st")
    if not program.exists():
        reason = f"schemathesis is not installed at {program}: `make contract` installs it and runs this"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@pytest.fixture(scope="session")
def our_document(document):
    """Airflow's document with the operations that we serve, and the statuses of our page."""
    served = {execution_api.operation(route) for route in execution_api.NEWEST}
    statuses = json.loads(execution_api.STATUSES.read_text())
    amended = copy.deepcopy(document)
    for path, item in list(amended["paths"].items()):
        for method in list(item):
            name = f"{method.upper()} {path}"
            if name not in served:
                del item[method]
                continue
            for code in {*COMMON, NO_ROUTE, *statuses[name]["airlock"]}:
                item[method]["responses"].setdefault(str(code), {"description": "of our page"})
        if not item:
            del amended["paths"][path]
    return amended


class Run:
    """A run of schemathesis against one server."""

    def __init__(self, program, folder, document):
        self._program, self._folder = program, folder
        (folder / "document.json").write_text(json.dumps(document))

    def fuzz(self, url, token, fixed, examples, seconds, *choice):
        """Runs it on the operations of ``choice``, with the ``fixed`` parameters; what it printed, and its exit code."""
        lines = [f'"{name}" = "{value}"' for name, value in fixed.items()]
        (self._folder / "schemathesis.toml").write_text("[parameters]\n" + "\n".join(lines) + "\n")
        command = [
            self._program, "run", "document.json", "--url", url, "-H", f"Authorization: Bearer {token}", "--checks", CHECKS,
            "--max-examples", str(examples), "--generation-deterministic", "--phases", "examples,coverage,fuzzing",
            "--continue-on-failure", "--no-color", *choice,
        ]  # fmt: skip
        env = {"PATH": os.environ["PATH"], "HOME": str(self._folder)}
        return subprocess.run(command, cwd=self._folder, env=env, capture_output=True, text=True, timeout=seconds)


@pytest.fixture
def run(schemathesis, tmp_path, our_document):
    return Run(schemathesis, tmp_path, our_document)


def fuzzed(run, url, world, examples, seconds):
    """
    Runs the three kinds of operations: on tests of connections, on an asset that the task declares, and all others, which
    are also those on assets that hardly exist. Returns the ends of what was printed where anything was found.
    """
    ti_id, test_id = world.instances[-1]["id"], world.connection_tests[-1]["id"]
    tests = "--include-path-regex", "^/connection-tests/"
    others = "--exclude-path-regex", "^/connection-tests/"
    assets = "--include-path-regex", "^/(store/)?asset"
    of_asset = {"query.name": "asset", "query.uri": "s3://bucket/asset", "query.alias_name": "alias"}
    # A long run's tokens must not end before it.
    lasting = Tokens(KEY, JwtSettings(execution_seconds=LASTING_SECONDS, workload_seconds=LASTING_SECONDS))
    execution = lasting.mint_execution(ti_id)
    own = {"path.task_instance_id": ti_id, "path.dag_id": "d"}
    test = {"path.connection_test_id": test_id}
    outcomes = [
        run.fuzz(url, execution, own, examples, seconds, *others),
        run.fuzz(url, execution, of_asset, examples, seconds, *assets),
        run.fuzz(url, lasting.mint_workload(test_id), test, examples, seconds, *tests),
    ]
    return [
        each.stdout[-6000:] + each.stderr[-2000:]
        for each in outcomes
        if each.returncode or ONLY_REFUSED in each.stdout or ALL_PASSED not in each.stdout
    ]


@pytest.fixture
def fuzzed_world():
    world = World()
    world.instance("running", task_id=DECLARES)
    world.connection_test()
    return world


def test_no_call_on_sqlite_fails_or_is_answered_with_a_status_that_is_not_on_our_page(
    run, tokens, fuzzed_world, tmp_path
):
    with ours.serving(f"sqlite:///{tmp_path / 'airlock.db'}", tokens, fuzzed_world) as url:
        assert [] == fuzzed(run, url, fuzzed_world, EXAMPLES, SECONDS)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_call_on_postgresql_fails_in_a_long_run(run, tokens, fuzzed_world):
    server = PostgreSQL()
    try:
        with ours.serving(server.url(server.make()), tokens, fuzzed_world) as url:
            assert [] == fuzzed(run, url, fuzzed_world, MANY_EXAMPLES, LONG_SECONDS)
    finally:
        server.close()
