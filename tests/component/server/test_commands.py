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
    assert shown.returncode == 0
    for command in ("tasks", "api-server", "variables", "connections", "grants", "keys", "frames"):
        assert command in shown.stdout
    code = "import sys; from airlock_server.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["api-server"], ["variables"], ["variables", "set"], ["connections", "set"], ["frames", "decode"]]
)
def test_every_command_has_help(airlock, arguments):
    shown = airlock(*arguments, "--help")
    assert shown.returncode == 0
    assert len(shown.stdout.splitlines()) > 5


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["variables"], ["variables", "get"], ["frames", "decode"]])
def test_a_wrong_call_exits_2_and_says_what_is_missing(airlock, arguments):
    shown = airlock(*arguments)
    assert shown.returncode == 2
    assert "error" in shown.stderr


def test_a_wrong_setting_exits_2_with_the_nearest_name(airlock):
    shown = airlock("variables", "list", environ={"AIRLOCK__API__PROT": "1"})
    assert shown.returncode == 2
    assert "did you mean 'port'" in shown.stderr


def test_a_database_we_do_not_run_on_is_refused(airlock):
    shown = airlock("variables", "list", environ={"AIRLOCK__DATABASE__URL": "postgresql://h/db"})
    assert shown.returncode == 1
    assert "sqlite:////absolute/path" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.slow
def test_variables_are_set_printed_listed_and_deleted(airlock):
    assert airlock("variables", "set", "b", "2").returncode == 0
    assert airlock("variables", "set", "a", "-", stdin="from stdin").returncode == 0
    assert airlock("variables", "get", "a").stdout == "from stdin\n"
    assert airlock("variables", "list").stdout == "a\nb\n"
    assert airlock("variables", "list", "--prefix", "b").stdout == "b\n"
    assert airlock("variables", "delete", "a").returncode == 0
    gone = airlock("variables", "get", "a")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "there is no variable 'a'" in gone.stderr
    assert airlock("variables", "delete", "a").returncode == 1


@pytest.mark.slow
def test_connections_are_printed_without_secrets_unless_asked(airlock):
    fields = ["--type", "postgres", "--host", "h", "--port", "5432", "--extra", '{"k": "the-extra"}']
    made = airlock("connections", "set", "db", *fields, "--password-stdin", stdin="the-password\n")
    assert made.returncode == 0, made.stderr
    shown = airlock("connections", "get", "db").stdout
    assert "the-" not in shown
    assert json.loads(shown)["port"] == 5432
    secret = json.loads(airlock("connections", "get", "db", "--show-secrets").stdout)
    assert (secret["password"], json.loads(secret["extra"])) == ("the-password", {"k": "the-extra"})
    assert airlock("connections", "list").stdout == "db\tpostgres\n"
    assert airlock("connections", "delete", "db").returncode == 0
    assert airlock("connections", "get", "db").returncode == 1


def test_a_connection_may_be_a_uri(airlock):
    assert airlock("connections", "set", "db", "--uri", "postgres://u:p%40ss@h:1/s?a=b").returncode == 0
    shown = json.loads(airlock("connections", "get", "db", "--show-secrets").stdout)
    assert (shown["login"], shown["password"], shown["schema"]) == ("u", "p@ss", "s")


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
    assert refused.returncode == 2
    assert says in refused.stderr
    assert "secret" not in refused.stderr
    assert airlock("connections", "list").stdout == ""


def test_captured_frames_are_printed_as_lines(airlock, tmp_path):
    capture = frames.request(1, {"type": "GetVariable", "key": "k"}) + frames.response(1, {"type": "OKResponse"})
    (tmp_path / "capture").write_bytes(capture)
    shown = airlock("frames", "decode", str(tmp_path / "capture"))
    assert shown.returncode == 0
    assert [json.loads(line)["frame"][0] for line in shown.stdout.splitlines()] == [1, 1]
    cut = airlock("frames", "decode", "-", stdin=capture[:-3])
    assert cut.returncode == 1
    assert b"the stream ends after" in cut.stdout
    assert airlock("frames", "decode", str(tmp_path / "absent")).returncode == 1


@pytest.mark.slow
def test_grants_are_added_listed_and_removed(airlock):
    add = ("grants", "add", "variable", "etl_*", "--namespace", "etl")
    assert [airlock(*add).returncode for _ in range(2)] == [0, 0]
    assert airlock("grants", "add", "connection", "db", "--namespace", "web").returncode == 0
    assert airlock("grants", "list").stdout == "etl\tvariable\tetl_*\nweb\tconnection\tdb\n"
    assert airlock("grants", "list", "connection").stdout == "web\tconnection\tdb\n"
    assert airlock("grants", "list", "--namespace", "etl").stdout == "etl\tvariable\tetl_*\n"
    assert airlock("grants", "remove", "variable", "etl_*", "--namespace", "etl").returncode == 0
    again = airlock("grants", "remove", "variable", "etl_*", "--namespace", "etl")
    assert (again.returncode, "airlock grants list --namespace etl" in again.stderr) == (1, True)


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
    assert airlock("grants", "add", *wrong).returncode == 2
    assert airlock("grants", "list").stdout == ""


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
    assert answer.json() == {"ok": ["database"], "failing": {}}
    assert second.returncode == 1
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
