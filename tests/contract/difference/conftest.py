import json
import os
import tempfile
from pathlib import Path

import pytest
from contract.difference import assets, by_hand, older, ours
from contract.difference.airflow import Airflow
from contract.difference.generated import Generator
from contract.difference.world import World
from doubles.postgresql import PostgreSQL
from doubles.postgresql_programs import Missing

from airlock_server.keys.tokens import Tokens
from airlock_server.settings import JwtSettings

HERE = Path(__file__).parent
#: What signs the tokens on both servers.
KEY = b"k" * 64


@pytest.fixture(scope="session")
def tokens():
    return Tokens(KEY, JwtSettings())


@pytest.fixture(scope="session")
def document(run_driver):
    """The OpenAPI document of the installed Airflow."""
    return json.loads(run_driver(HERE / "drivers/openapi.py", b"").splitlines()[-1])


@pytest.fixture(scope="session")
def world():
    return World()


@pytest.fixture(scope="session")
def calls(world, document):
    """Every call, in the order in which they are sent; the world then has what they are about."""
    return [
        *by_hand.calls(world),
        *assets.calls(world),
        *Generator(document, world).calls(),
        *older.calls(world),
        *assets.malformed(world),
    ]


@pytest.fixture(scope="session")
def theirs(airflow_python, world, calls):
    """The address of a real Airflow's Execution API."""
    with tempfile.TemporaryDirectory(prefix="al-") as home:
        airflow = Airflow(airflow_python, Path(home), KEY)
        try:
            airflow.start()
            airflow.seed(world)
            yield airflow.url
        finally:
            airflow.stop()


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory, tokens, world, calls):
    """The address of our server on SQLite."""
    path = tmp_path_factory.mktemp("ours") / "airlock.db"
    with ours.serving(f"sqlite:///{path}", tokens, world) as url:
        yield url


@pytest.fixture(scope="session")
def on_postgresql(tokens, world, calls):
    """The same on PostgreSQL; None on a machine that lacks it."""
    try:
        server = PostgreSQL()
    except Missing:
        if os.environ.get("CI"):
            raise
        yield None
        return
    try:
        with ours.serving(server.url(server.make()), tokens, world) as url:
            yield url
    finally:
        server.close()
