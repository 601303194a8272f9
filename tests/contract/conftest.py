import json
import os
import subprocess
from pathlib import Path

import pytest
from contract.captured import Schema
from xdist.scheduler import LoadScopeScheduling

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = 100
FIND_SCHEMA = """
import importlib.util, pathlib
sdk = importlib.util.find_spec("airflow.sdk").submodule_search_locations[0]
print(pathlib.Path(sdk) / "execution_time" / "schema" / "schema.json")
"""


class Places(LoadScopeScheduling):
    """
    What goes to one worker of several: the tests of ``peer``, which share an Airflow that takes two minutes, and those
    of any other file, which share what their module makes. Each test of ``runner`` stands alone.
    """

    def _split_scope(self, nodeid):
        file, _, _ = nodeid.partition("::")
        folder = Path(file).parent.name
        return {"peer": folder, "runner": nodeid}.get(folder, file)


def pytest_xdist_make_scheduler(config, log):
    """In the order of collection, in which the longest comes first."""
    config.option.loadscopereorder = False
    return Places(config, log)


@pytest.fixture(scope="session")
def airflow_python():
    """Airflow's interpreter; where it is absent the tier cannot run, and in CI that is a failure."""
    python = Path(os.environ.get("AIRLOCK_AIRFLOW_PYTHON") or ROOT / ".venvs/airflow/bin/python")
    if not python.exists():
        reason = f"Airflow is not installed at {python}: `make contract` installs it and runs this"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return python


@pytest.fixture(scope="session")
def airflow_env(tmp_path_factory):
    """An environment in which Airflow reads no file of this machine's user and loads no examples."""
    home = tmp_path_factory.mktemp("airflow-home")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.fixture(scope="session")
def run_driver(airflow_python, airflow_env):
    """Runs a script in Airflow's interpreter with ``given`` on its standard input; what it printed."""

    def run(script, given, pass_fds=(), arguments=(), **settings):
        done = subprocess.run(
            [airflow_python, script, *arguments],
            input=given,
            capture_output=True,
            timeout=SECONDS,
            env={**airflow_env, **settings},
            pass_fds=pass_fds,
            cwd=airflow_env["AIRFLOW_HOME"],
        )
        assert 0 == done.returncode, done.stdout[-4000:].decode() + done.stderr[-8000:].decode()
        return done.stdout

    return run


@pytest.fixture(scope="session")
def airflows_schema(airflow_python, airflow_env):
    """The JSON schema of all messages, as it is in the installed task-sdk."""
    found = subprocess.run(
        [airflow_python, "-c", FIND_SCHEMA], env=airflow_env, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(Path(found.stdout.strip()).read_text())


@pytest.fixture(scope="session")
def frames_schema(airflows_schema):
    """What captured frames are held against."""
    return Schema(airflows_schema)
