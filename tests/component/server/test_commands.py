"""The airlock command, as a process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from airlock_wire.protocol import frames


@pytest.fixture
def airlock(tmp_path):
    def airlock(*arguments, stdin=None, environ=None):
        return subprocess.run(
            [sys.executable, "-m", "airlock_server", *arguments],
            input=stdin,
            capture_output=True,
            text=not isinstance(stdin, bytes),
            timeout=60,
            env={**os.environ, "AIRLOCK_HOME": str(tmp_path / "home"), **(environ or {})},
        )

    return airlock


def test_help_names_every_command_and_loads_no_database(airlock):
    shown = airlock("--help")
    assert 0 == shown.returncode
    for command in ("tasks", "api-server", "variables", "connections", "grants", "keys", "frames"):
        assert command in shown.stdout
    code = "import sys; from airlock_server.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit('sqlalchemy' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["api-server"], ["variables"], ["variables", "set"], ["connections", "set"], ["frames", "decode"]]
)
def test_every_command_has_help(airlock, arguments):
    shown = airlock(*arguments, "--help")
    assert 0 == shown.returncode
    assert len(shown.stdout.splitlines()) > 5


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["variables"], ["variables", "get"], ["frames", "decode"]])
def test_a_wrong_call_exits_2_and_says_what_is_missing(airlock, arguments):
    shown = airlock(*arguments)
    assert 2 == shown.returncode
    assert "error" in shown.stderr


def test_a_wrong_setting_exits_2_with_the_nearest_name(airlock):
    shown = airlock("variables", "list", environ={"AIRLOCK__API__PROT": "1"})
    assert 2 == shown.returncode
    assert "did you mean 'port'" in shown.stderr


def test_a_database_we_do_not_run_on_is_refused(airlock):
    shown = airlock("variables", "list", environ={"AIRLOCK__DATABASE__URL": "mysql://u:secret@h/db"})
    assert 1 == shown.returncode
    assert "does not support MySQL" in shown.stderr
    assert "sqlite:////absolute/path" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert "secret" not in shown.stderr


def test_commands_work_on_postgresql(airlock, postgresql_url):
    environ = {"AIRLOCK__DATABASE__URL": postgresql_url}
    assert 0 == airlock("variables", "set", "a", "1", environ=environ).returncode
    assert "1\n" == airlock("variables", "get", "a", environ=environ).stdout


def test_a_postgresql_that_is_away_is_one_sentence_without_its_password(airlock, tmp_path):
    url = f"postgresql://u:secret@/db?host={tmp_path}"
    shown = airlock("variables", "list", environ={"AIRLOCK__DATABASE__URL": url})
    assert 1 == shown.returncode
    assert "connection" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert "secret" not in shown.stderr


@pytest.mark.parametrize("arguments", [["backup", "copy"], ["restore", "copy"]])
def test_postgresql_is_copied_by_its_own_programs(airlock, arguments):
    shown = airlock("db", *arguments, environ={"AIRLOCK__DATABASE__URL": "postgresql://u:secret@h/db"})
    assert 1 == shown.returncode
    assert "pg_dump" in shown.stderr
    assert "secret" not in shown.stderr


@pytest.mark.slow
def test_variables_are_set_printed_listed_and_deleted(airlock):
    assert 0 == airlock("variables", "set", "b", "2").returncode
    assert 0 == airlock("variables", "set", "a", "-", stdin="from stdin").returncode
    assert "from stdin\n" == airlock("variables", "get", "a").stdout
    assert "a\nb\n" == airlock("variables", "list").stdout
    assert "b\n" == airlock("variables", "list", "--prefix", "b").stdout
    assert 0 == airlock("variables", "delete", "a").returncode
    gone = airlock("variables", "get", "a")
    assert (1, "") == (gone.returncode, gone.stdout)
    assert "there is no variable 'a'" in gone.stderr
    assert 1 == airlock("variables", "delete", "a").returncode


@pytest.mark.slow
def test_connections_are_printed_without_secrets_unless_asked(airlock):
    fields = ["--type", "postgres", "--host", "h", "--port", "5432", "--extra", '{"k": "the-extra"}']
    made = airlock("connections", "set", "db", *fields, "--password-stdin", stdin="the-password\n")
    assert 0 == made.returncode, made.stderr
    shown = airlock("connections", "get", "db").stdout
    assert "the-" not in shown
    assert 5432 == json.loads(shown)["port"]
    secret = json.loads(airlock("connections", "get", "db", "--show-secrets").stdout)
    assert ("the-password", {"k": "the-extra"}) == (secret["password"], json.loads(secret["extra"]))
    assert "db\tpostgres\n" == airlock("connections", "list").stdout
    assert 0 == airlock("connections", "delete", "db").returncode
    assert 1 == airlock("connections", "get", "db").returncode


def test_a_connection_may_be_a_uri(airlock):
    assert 0 == airlock("connections", "set", "db", "--uri", "postgres://u:p%40ss@h:1/s?a=b").returncode
    shown = json.loads(airlock("connections", "get", "db", "--show-secrets").stdout)
    assert ("u", "p@ss", "s") == (shown["login"], shown["password"], shown["schema"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["db"], "needs --type"),
        (["db", "--type", "x", "--extra", "{"], "not JSON"),
        (["db", "--type", "x", "--extra", "[1]"], "must be a JSON object"),
        (["db", "--type", "x", "--port", "70000"], "from 1 to 65535"),
        (["db", "--type", "x", "--port", "many"], "invalid int value"),
        (["db", "--uri", "x://h", "--host", "h"], "leave out --host"),
        (["db", "--uri", "secret"], "type://"),
        (["a/b", "--type", "x"], "without a slash"),
    ],
)
def test_a_connection_that_cannot_be_is_refused_with_the_fix(airlock, arguments, says):
    refused = airlock("connections", "set", *arguments)
    assert 2 == refused.returncode
    assert says in refused.stderr
    assert "secret" not in refused.stderr
    assert "" == airlock("connections", "list").stdout


def test_captured_frames_are_printed_as_lines(airlock, tmp_path):
    capture = frames.request(1, {"type": "GetVariable", "key": "k"}) + frames.response(1, {"type": "OKResponse"})
    (tmp_path / "capture").write_bytes(capture)
    shown = airlock("frames", "decode", str(tmp_path / "capture"))
    assert 0 == shown.returncode
    assert [1, 1] == [json.loads(line)["frame"][0] for line in shown.stdout.splitlines()]
    cut = airlock("frames", "decode", "-", stdin=capture[:-3])
    assert 1 == cut.returncode
    assert b"the stream ends after" in cut.stdout
    assert 1 == airlock("frames", "decode", str(tmp_path / "absent")).returncode


@pytest.mark.slow
def test_grants_are_added_listed_and_removed(airlock):
    add = ("grants", "add", "variable", "etl_*", "--namespace", "etl")
    assert [0, 0] == [airlock(*add).returncode for _ in range(2)]
    assert 0 == airlock("grants", "add", "connection", "db", "--namespace", "web").returncode
    assert "etl\tvariable\tetl_*\nweb\tconnection\tdb\n" == airlock("grants", "list").stdout
    assert "web\tconnection\tdb\n" == airlock("grants", "list", "connection").stdout
    assert "etl\tvariable\tetl_*\n" == airlock("grants", "list", "--namespace", "etl").stdout
    assert 0 == airlock("grants", "remove", "variable", "etl_*", "--namespace", "etl").returncode
    again = airlock("grants", "remove", "variable", "etl_*", "--namespace", "etl")
    assert (1, True) == (again.returncode, "airlock grants list --namespace etl" in again.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        ("variable", "", "--namespace", "etl"),
        ("variable", "k", "--namespace", "*"),
        ("variable", "k", "--namespace", ""),
        ("secret", "k", "--namespace", "etl"),
        ("variable", "k"),
    ],
)
def test_a_grant_that_cannot_be_is_refused(airlock, wrong):
    assert 2 == airlock("grants", "add", *wrong).returncode
    assert "" == airlock("grants", "list").stdout


def test_the_api_server_serves_until_it_is_told_to_stop(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "AIRLOCK_HOME": str(tmp_path / "home"), "AIRLOCK__API__PORT": str(port)}
    command = [sys.executable, "-m", "airlock_server", "api-server"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as server:
        answer = eventually(f"http://127.0.0.1:{port}/execution/health/ping")
        elsewhere = env | {"AIRLOCK_HOME": str(tmp_path / "other")}
        second = subprocess.run(command, env=elsewhere, capture_output=True, text=True, timeout=60)
        server.send_signal(signal.SIGTERM)
        logged = server.communicate(timeout=20)[1]
    assert {"ok": ["database"], "failing": {}} == answer.json()
    assert 1 == second.returncode
    assert "cannot listen" in second.stderr
    assert f"listening url=http://127.0.0.1:{port}/execution" in logged
    assert "stopped" in logged
    assert "/health" not in logged


def eventually(url):
    deadline = time.monotonic() + 20
    while True:
        try:
            return httpx.get(url)
        except httpx.ConnectError:
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.05)
