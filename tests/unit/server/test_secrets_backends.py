"""What each backend reads, what it refuses, and that no refusal shows a value."""

import json
import os
import sys

import pytest

from airlock_server.secrets.backend import BackendFailed, Variable
from airlock_server.secrets.build import names_of, secrets_of, setting_of_backends
from airlock_server.secrets.connection_text import from_map, from_text
from airlock_server.secrets.environment import Environment
from airlock_server.secrets.files import Files
from airlock_server.secrets.outside import Outside, is_plain
from airlock_server.settings import SecretsSettings
from airlock_server.store.connections import Connection
from airlock_wire.process.settings import SettingsError

VALUE = "open-sesame"
MODULE = "backends_of_a_test"
DB = Connection(conn_id="db", conn_type="postgres", host="h", login="u", password=VALUE, port=5, extra='{"a": "b"}')


@pytest.mark.parametrize(
    "fields",
    [
        {"uri": f"postgresql://u:{VALUE}@h:5/?a=b"},
        {"conn_type": "postgres", "host": "h", "login": "u", "password": VALUE, "port": 5, "extra": {"a": "b"}},
        {"conn_type": "postgresql", "host": "h", "login": "u", "password": VALUE, "port": "5", "extra": '{"a": "b"}'},
        {"conn_id": "db", "conn_type": "postgres", "host": "h", "login": "u", "password": VALUE, "port": 5,
         "extra_dejson": {"a": "b"}},
    ],
)  # fmt: skip
def test_a_connection_is_a_uri_a_map_or_json(fields):
    assert DB == from_map("db", fields)
    assert DB == from_text("db", json.dumps(fields))
    assert "uri" not in fields or from_text("db", f" {fields['uri']}\n") == DB


@pytest.mark.parametrize(
    "text",
    [
        VALUE,
        f'{{"password": "{VALUE}"}}',
        f'{{"conn_type": "x", "pasword": "{VALUE}"}}',
        f'{{"conn_type": "x", "port": "{VALUE}"}}',
        f'{{"conn_type": "x", "host": ["{VALUE}"]}}',
        f'{{"conn_type": "x", "conn_id": "{VALUE}"}}',
        f'{{"conn_type": "x", "uri": "{VALUE}"}}',
        f'{{"conn_type": "x", "extra": "{VALUE}", "extra_dejson": {{}}}}',
        f'{{"{VALUE}',
        f"x://h:{VALUE}",
    ],
)
def test_a_connection_that_cannot_be_is_refused_without_its_text(text):
    with pytest.raises(BackendFailed) as refusal:
        from_text("db", text)

    assert VALUE not in str(refusal.value)


@pytest.mark.parametrize(
    ("environ", "variable", "connection"),
    [
        ({}, None, None),
        ({"AIRLOCK_VAR_KEY": "v"}, Variable("v"), None),
        ({"AIRLOCK_VAR_KEY": ""}, Variable(""), None),
        ({"AIRLOCK_VAR_key": "v", "AIRFLOW_VAR_KEY": "v"}, None, None),
        ({"AIRLOCK_CONN_KEY": "http://h"}, None, Connection(conn_id="Key", conn_type="http", host="h")),
        ({"AIRLOCK_CONN_KEY": '{"conn_type": "a"}'}, None, Connection(conn_id="Key", conn_type="a")),
        ({"AIRLOCK_CONN_KEY": ""}, None, None),
        ({"AIRLOCK__API__PORT": "1"}, None, None),
    ],
)
def test_the_environment_is_asked_in_upper_case(environ, variable, connection):
    backend = Environment(environ)

    assert (variable, connection) == (backend.variable("Key"), backend.connection("Key"))


FILES = [
    ("f.json", '{"k": "v", "n": {"a": 1}, "l": ["v"]}', '{"db": "http://h", "m": {"conn_type": "http", "host": "h"}}'),
    ("f.yaml", "k: v\nn: {a: 1}\nl: [v]\n", "db: http://h\nm:\n  conn_type: http\n  host: h\n"),
    ("f.yml", "k: v\nn: {a: 1}\nl: [v]\n", "db: http://h\nm: {conn_type: http, host: h}\n"),
    ("f.env", '# note\n\nk = v\nn={"a": 1}\nl=v\n', 'db=http://h\nm={"conn_type": "http", "host": "h"}\n'),
    (".env", 'k=v\nn={"a": 1}\nl=v\n', 'db=http://h\nm={"conn_type": "http", "host": "h"}\n'),
]


def write(folder, name, variables, connections="{}"):
    for each, text in (("v", variables), ("c", connections)):
        (folder / each).mkdir(exist_ok=True)
        (folder / each / name).write_text(text)
    return Files(str(folder / "v" / name), str(folder / "c" / name))


@pytest.mark.parametrize(("name", "variables", "connections"), FILES, ids=[row[0] for row in FILES])
def test_a_file_has_variables_and_connections(tmp_path, name, variables, connections):
    files = write(tmp_path, name, variables, connections)

    assert ["v", '{"a": 1}', "v"] == [files.variable(key).value for key in "knl"]
    assert ["http", "http"] == [files.connection(conn_id).conn_type for conn_id in ("db", "m")]
    assert (None, None) == (files.variable("absent"), files.connection("absent"))


def test_a_file_is_read_anew_when_it_changes(tmp_path):
    files = write(tmp_path, "f.json", '{"k": "old"}')
    (tmp_path / "new").write_text('{"k": "new"}')
    os.replace(tmp_path / "new", tmp_path / "v" / "f.json")

    assert Variable("new") == files.variable("k")
    (tmp_path / "v" / "f.json").write_text(f'{{"k": "{VALUE}')
    with pytest.raises(BackendFailed):
        files.variable("k")
    (tmp_path / "v" / "f.json").write_text('{"k": "newest"}')
    assert Variable("newest") == files.variable("k")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("f.json", f'{{\n"k": {VALUE}}}', "line 2 is not JSON"),
        ("f.json", f'["{VALUE}"]', "must be a map"),
        ("f.yaml", f"k: v\n{VALUE}: {VALUE}: x", "line 2 is not YAML"),
        ("f.yaml", f"!!python/object/apply:os.system ['{VALUE}']", "is not YAML"),
        ("f.env", f"k=v\n{VALUE}\n", "line 2 is not NAME=VALUE"),
        ("f.txt", VALUE, "its name must end in"),
    ],
)
def test_a_wrong_file_is_refused_without_its_text(tmp_path, name, text, says):
    with pytest.raises(BackendFailed, match=says) as refusal:
        write(tmp_path, name, text)

    assert VALUE not in str(refusal.value)


def test_several_values_of_one_name_are_refused(tmp_path):
    with pytest.raises(BackendFailed, match="several values"):
        write(tmp_path, "f.env", "k=a\nk=b\n", "").variable("k")


class Base:
    """As the base class of Airflow's backends does."""

    def get_conn_value(self, conn_id):
        raise NotImplementedError

    def get_connection(self, conn_id):
        value = self.get_conn_value(conn_id=conn_id)
        return value and from_text(conn_id, value)

    def get_variable(self, key):
        raise NotImplementedError

    def get_config(self, key):
        return None


class ByValue(Base):
    def __init__(self, prefix=""):
        self.prefix = prefix

    def get_conn_value(self, conn_id):
        return f"http://{self.prefix}{conn_id}" if conn_id != "absent" else None

    def get_variable(self, key):
        return f"{self.prefix}{key}" if key != "absent" else None

    def get_config(self, key):
        return f"{self.prefix}{key}" if key != "absent" else None


class ByConnection(Base):
    class Found:
        conn_type, host, extra, port = "http", "h", None, None

    def get_connection(self, conn_id):
        return self.Found()


class Fails:
    def __init__(self, **arguments):
        raise RuntimeError(str(arguments))

    def get_variable(self, key):
        return None


class Number:
    def get_variable(self, key):
        return 5


def here(kind):
    return f"{MODULE}.{kind.__name__}"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Tests are not packages: this one is imported by the last part of its name."""
    monkeypatch.setitem(sys.modules, MODULE, sys.modules[__name__])


def test_a_class_of_ones_own_is_asked_by_airflows_interface():
    backend = Outside(here(ByValue), {"prefix": "p-"})

    assert (Variable("p-k"), None) == (backend.variable("k"), backend.variable("absent"))
    assert Connection(conn_id="db", conn_type="http", host="p-db") == backend.connection("db")
    assert None is backend.connection("absent")
    assert "p-name" == backend.setting("name")
    assert Connection(conn_id="db", conn_type="http", host="h") == Outside(here(ByConnection), {}).connection("db")
    with pytest.raises(BackendFailed):
        Outside(here(Number), {}).variable("k")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("k", True),
        ("team/a.b-c_d", True),
        ("a..b", True),
        ("ключ", True),
        ("", False),
        ("..", False),
        ("team/../other", False),
        ("team/./a", False),
        ("/root", False),
        ("a//b", False),
        ("a/", False),
        ("a\\b", False),
        ("%2e%2e/other", False),
        ("a?list=true", False),
        ("a#b", False),
        ("a\nb", False),
        ("a" * 501, False),
    ],
)
def test_a_name_that_could_be_a_path_to_elsewhere_is_not_passed_on(name, plain):
    assert plain is is_plain(name)
    backend = Outside(here(ByValue), {})
    assert plain is (backend.variable(name) is not None)
    assert plain or backend.connection(name) is None


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"backends": ""}, "is empty"),
        ({"backends": "enviroment"}, "did you mean 'environment'"),
        ({"backends": "file"}, "set variables_file or connections_file"),
        ({"backends": "file", "variables_file": "/nonexistent/f.json"}, "No such file"),
        ({"backends": "database, database"}, "names database twice"),
        ({"backends": "a.B, c.D"}, "several classes: a.B, c.D"),
        ({"backends": "nowhere.Backend"}, "nowhere.Backend cannot be imported"),
        ({"backends": "json.Backend"}, "module json has no Backend"),
        ({"backends": "json.JSONDecoder"}, "json.JSONDecoder is not a backend"),
        ({"backends": "json.JSONDecoder", "backend_kwargs": f"{{{VALUE}"}, "backend_kwargs is not JSON"),
        ({"backends": "json.JSONDecoder", "backend_kwargs": f'["{VALUE}"]'}, "is not a JSON object"),
        ({"backends": here(Fails), "backend_kwargs": f'{{"token": "{VALUE}"}}'}, "cannot be made with"),
        ({"backends": here(ByValue), "backend_kwargs": f'{{"token": "{VALUE}"}}'}, "cannot be made with"),
        ({"timeout_seconds": 0}, "must be more than 0"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_fix_and_without_a_value(settings, says):
    with pytest.raises(SettingsError) as refusal:
        secrets_of(SecretsSettings(**settings), {})

    assert says in str(refusal.value)
    assert VALUE not in str(refusal.value)
    assert VALUE not in str(refusal.value.__cause__)


def test_the_backends_are_a_list_with_commas():
    assert ["environment", "a.B", "database"] == names_of(SecretsSettings(backends=" environment,a.B ,database,"))


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ({}, "k", None),
        ({"backends": here(ByValue), "backend_kwargs": '{"prefix": "p-"}'}, "k", "p-k"),
        ({"backends": f"environment, {here(ByValue)}, database"}, "absent", None),
        ({"backends": here(Number)}, "k", None),
    ],
)
def test_only_a_class_is_asked_for_a_setting(settings, name, value):
    assert value == setting_of_backends(SecretsSettings(**settings), name)
