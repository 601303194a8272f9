import contextlib
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from doubles.kubernetes import PlayedKubernetes
from doubles.podserver import PodServer
from doubles.postgresql import running

from airlock_server.api.app import App
from airlock_server.api.serve import EmbeddedServer
from airlock_server.api.services import Services
from airlock_server.exchange.service import Exchange
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import Tokens
from airlock_server.kube.address import where
from airlock_server.kube.client import Client
from airlock_server.observer import NOBODY
from airlock_server.rules.assets import NO_ASSETS
from airlock_server.secrets.lookup import Secrets
from airlock_server.settings import ApiSettings, ExchangeSettings, JwtSettings, load_settings
from airlock_server.store import schema, tries
from airlock_server.store.engine.database import open_engine
from airlock_wire.identity import TaskInstanceKey

MOMENT = "2026-01-01T00:00:00Z"
MAX_BODY_BYTES = 2 * 1024 * 1024


#: The files whose tests run on both databases: they try the statements. The others run on SQLite.
ON_BOTH = {
    "test_asset_outcomes.py",
    "test_asset_states_api.py",
    "test_assets_api.py",
    "test_assets_of_dags.py",
    "test_attempts.py",
    "test_concurrency.py",
    "test_connection_tests_api.py",
    "test_dag_runs_api.py",
    "test_dag_run.py",
    "test_data_api.py",
    "test_exchange.py",
    "test_fencing_api.py",
    "test_instance_queries_api.py",
    "test_parsed_files.py",
    "test_store.py",
    "test_task_instances_api.py",
    "test_task_states_api.py",
    "test_tries.py",
}


def pytest_generate_tests(metafunc):
    if "db" in metafunc.fixturenames:
        both = Path(metafunc.definition.path).name in ON_BOTH
        metafunc.parametrize("db", ["sqlite", "postgresql"] if both else ["sqlite"], indirect=True)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A database that has its tables, to copy: making them is most of a short test."""
    path = tmp_path_factory.mktemp("migrated") / "airlock.db"
    open_engine(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgresql():
    """Starts a PostgreSQL server. A machine that lacks one skips the test, and fails it in CI."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql):
    """A database of it that has its tables, to copy."""
    name = postgresql.make()
    open_engine(postgresql.url(name)).close()
    return name


@pytest.fixture
def postgresql_url(postgresql, postgresql_template):
    """The URL of a PostgreSQL database of the test's own, which has its tables."""
    name = postgresql.make(postgresql_template)
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture
def sqlite_url(tmp_path, migrated):
    """The URL of a SQLite database of the test's own, which has its tables."""
    shutil.copy(migrated, tmp_path / "airlock.db")
    return f"sqlite:///{tmp_path / 'airlock.db'}"


@pytest.fixture
def db(request):
    """A database; in the files of ON_BOTH each test runs once on every kind."""
    with open_engine(request.getfixturevalue(f"{request.param}_url")) as db:
        yield db


@pytest.fixture
def db_url(request):
    """The URL of the database of ``db``."""
    return request.getfixturevalue(f"{request.node.callspec.params['db']}_url")


@pytest.fixture
def sqlite_db(sqlite_url):
    with open_engine(sqlite_url) as db:
        yield db


@pytest.fixture
def postgresql_db(postgresql_url):
    with open_engine(postgresql_url) as db:
        yield db


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The URL of a database that has no tables yet, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgresql")
    name = server.make()
    yield server.url(name)
    server.drop(name)


#: The account that may ask about attempts.
OPERATOR = "system:serviceaccount:airlock-system:airlock-operator"


class Api:
    """A served database, and the calls that a launch makes."""

    def __init__(self, db, tokens, encryption, url):
        self.db, self.tokens, self.encryption, self.url = db, tokens, encryption, url
        # More kept connections than any test has threads: httpx's pool closes surplus ones under other threads' feet.
        self.http = httpx.Client(base_url=url, limits=httpx.Limits(max_keepalive_connections=100))
        self.anyone = {"authorization": f"Bearer {tokens.mint_execution(str(uuid.uuid4()))}"}

    def queue(self, task_id="task", run_id="run", try_number=1, max_tries=0, map_index=-1, **more):
        def write(conn):
            tries.claim_dag(conn, "dag", "bundle")
            return tries.queue_task(
                conn,
                TaskInstanceKey("dag", run_id, task_id, map_index),
                try_number=try_number,
                max_tries=max_tries,
                conf=more.get("conf"),
                now=more.get("now") or datetime.now(UTC),
                assets=more.get("assets", NO_ASSETS),
            )

        return self.db.write(write)

    def exchange(self, pod_token, **more):
        """A pod asks for its task's token."""
        headers = {"authorization": f"Bearer {pod_token}"} if pod_token is not None else {}
        return self.http.post(f"{self.url.removesuffix('/execution')}/airlock/v1/exchange", headers=headers, **more)

    def exchanged(self, pod_token):
        """The same, for a pod that gets it: the task instance's id, and the headers that its sidecar sends then."""
        answer = self.exchange(pod_token)
        assert 200 == answer.status_code, answer.text
        given = answer.json()
        return given["task_instance"]["id"], {"authorization": f"Bearer {given['token']}"}

    def own(self, ti_id):
        return {"authorization": f"Bearer {self.tokens.mint_execution(ti_id)}"}

    def call(self, method, ti_id, operation, body=None, **more):
        headers = more.pop("headers", None) or self.own(ti_id)
        return self.http.request(method, f"/task-instances/{ti_id}/{operation}", json=body, headers=headers, **more)

    def run(self, ti_id, hostname="host", unixname="user", pid=1, what="run", **more):
        body = {"state": "running", "hostname": hostname, "unixname": unixname, "pid": pid, "start_date": MOMENT}
        return self.call("PATCH", ti_id, what, body, **more)

    def beat(self, ti_id, hostname="host", pid=1, **more):
        return self.call("PUT", ti_id, "heartbeat", {"hostname": hostname, "pid": pid}, **more)

    def report(self, ti_id, state, headers=None, **fields):
        return self.call("PATCH", ti_id, "state", {"state": state, "end_date": MOMENT, **fields}, headers=headers)

    def running(self, task_id="task", **more):
        ti_id = self.queue(task_id, **more)
        assert 200 == self.run(ti_id).status_code
        return ti_id

    def force(self, ti_id, state):
        """Puts a row into a state that no call leads to, as a scheduler or a person would."""
        table = schema.task_instance
        self.db.write(lambda conn: conn.execute(sa.update(table).where(table.c.id == ti_id).values(state=state)))

    def row(self, ti_id):
        table = schema.task_instance
        return self.db.read(lambda conn: conn.execute(sa.select(table).where(table.c.id == ti_id)).one_or_none())

    def moves(self, ti_id):
        table = schema.state_write.c
        chosen = sa.select(table.from_state, table.to_state, table.by).where(table.ti_id == ti_id).order_by(table.id)
        return [tuple(row) for row in self.db.read(lambda conn: conn.execute(chosen).all())]


@pytest.fixture
def api(db):
    tokens, encryption = Tokens(b"k" * 64, JwtSettings()), Encryption(b"e" * 64)
    with EmbeddedServer(db, tokens, encryption, ApiSettings(max_body_bytes=MAX_BODY_BYTES)) as server:
        api = Api(db, tokens, encryption, server.url)
        yield api
        api.http.close()


@pytest.fixture
def kubernetes(tmp_path):
    played = PlayedKubernetes(tmp_path)
    yield played
    played.close()


@pytest.fixture
def client(kubernetes):
    """The server's client of the played Kubernetes."""
    client = Client(where(load_settings(Path("/nonexistent"), kubernetes.settings).kubernetes, {}))
    yield client
    client.close()


@pytest.fixture
def make_cluster_api(db, client):
    """A server whose tasks run as TaskRuns in the played Kubernetes; ``settings`` are those of the exchange."""
    tokens, encryption = Tokens(b"k" * 64, JwtSettings()), Encryption(b"e" * 64)
    with contextlib.ExitStack() as running:

        def make(by_grant=False, namespaces=(), observer=NOBODY, secrets=None, **settings):
            exchange = Exchange(
                client, 4, db, tokens, ExchangeSettings(**settings), namespaces, OPERATOR, by_grant=by_grant
            )
            running.callback(exchange.close)
            services = Services(
                db=db,
                tokens=tokens,
                encryption=encryption,
                by_grant=by_grant,
                exchange=exchange,
                observer=observer,
                secrets=secrets or Secrets(),
            )
            server = EmbeddedServer(db, tokens, encryption)
            server._app = App(services, MAX_BODY_BYTES)
            running.enter_context(server)
            api = Api(db, tokens, encryption, server.url)
            running.callback(api.http.close)
            return api

        yield make


@pytest.fixture
def cluster_api(make_cluster_api):
    return make_cluster_api()


@pytest.fixture
def pod_server(tmp_path):
    """A server as a container runs it, not started; its settings are in ``env``."""
    return PodServer(tmp_path)
