"""Connections and variables that a launch's owner gave to the sidecar: answered there, under the task's policy, masked."""

import json

import pytest
from doubles.launcher import SUCCEED
from doubles.sidecar import work

from airlock_wire.workload import Access

CONNECTION = {
    "conn_id": "WAREHOUSE", "conn_type": "postgres", "host": "db", "schema": None, "login": None,
    "password": "open-sesame", "port": 5432, "extra": None,
}  # fmt: skip
GIVEN = {
    "connections": {"WAREHOUSE": CONNECTION},
    "variables": {"REGION": {"key": "REGION", "value": "eu"}, "API_KEY": {"key": "API_KEY", "value": "hush-hush"}},
}


@pytest.fixture
def asked(api, make_sidecar, make_launcher, tmp_path):
    """Asks a sidecar that was given these; returns its answers, what the server was asked for, and the log."""

    def ask(*questions, given=GIVEN, access=None, text=None):
        (tmp_path / "token").write_text("minted")
        file = tmp_path / "lookups.json"
        if given is not None:
            file.write_text(text or json.dumps(given))
        settings = {"sidecar__token_file": tmp_path / "token", "sidecar__lookups_file": file}
        sidecar = make_sidecar(work(judges=False, access=access or Access()), **settings).start(None)
        launcher = make_launcher(sidecar)
        launcher.begin()
        launcher.write("log", b'{"event": "the password is open-sesame and hush-hush", "level": "info"}\n')
        answers = [launcher.ask(question) for question in questions]
        launcher.write("log", b'{"event": "again: open-sesame and hush-hush", "level": "info"}\n')
        launcher.ask(SUCCEED)
        launcher.exit()
        sidecar.end()
        paths = [call.path for call in api.calls if "/connections/" in call.path or "/variables/" in call.path]
        return [answer.body for answer in answers], paths, [line["event"] for line in sidecar.log()]

    return ask


def connection(name):
    return {"type": "GetConnection", "conn_id": name}


def variable(key):
    return {"type": "GetVariable", "key": key}


def test_what_the_sidecar_was_given_is_answered_there_whatever_the_case_of_its_name(asked):
    answers, paths, _ = asked(connection("warehouse"), variable("region"))

    assert CONNECTION | {"type": "ConnectionResult"} == answers[0]
    assert {"key": "REGION", "value": "eu", "type": "VariableResult"} == answers[1]
    assert [] == paths


@pytest.mark.parametrize("text", [None, "not json", '{"connections": 3}'])
def test_the_server_is_asked_for_everything_else(asked, text):
    given = GIVEN if text is not None else None
    _, paths, _ = asked(connection("warehouse"), variable("other"), given=given, text=text)

    assert ["/connections/warehouse", "/variables/other"] == [path.rpartition("execution")[2] for path in paths]


def test_a_policy_holds_for_them_too(asked):
    narrow = Access(connections=("lake",), variables=("other",))
    answers, paths, _ = asked(connection("warehouse"), variable("region"), access=narrow)

    assert ["PERMISSION_DENIED"] * 2 == [answer["error"] for answer in answers]
    assert [] == paths


def test_their_secrets_are_masked_once_they_were_given(asked):
    _, _, log = asked(connection("warehouse"), variable("api_key"))

    assert "again: *** and ***" in log
