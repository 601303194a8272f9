"""``airlock config``, as a process: origins, secrets, and the file that it writes."""

import os
import stat
import subprocess
import sys
import tomllib

import pytest

TOKEN = "open-sesame"


@pytest.fixture
def airlock(tmp_path):
    def airlock(*arguments, **environ):
        return subprocess.run(
            [sys.executable, "-m", "airlock_server", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "AIRLOCK_HOME": str(tmp_path / "home"), **environ},
        )

    return airlock


@pytest.mark.slow
def test_list_shows_the_origin_of_each_setting_and_no_secret(airlock, tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "airlock.toml").write_text("[api]\nport = 1\n")
    command = f"/bin/echo {TOKEN}"
    shown = airlock("config", "list", AIRLOCK__DATABASE__URL_CMD=command, AIRLOCK__API__HOST="h")

    assert 0 == shown.returncode, shown.stderr
    assert f"port = 1  # file: {tmp_path}/home/airlock.toml: [api] port" in shown.stdout
    assert 'host = "h"  # environment: AIRLOCK__API__HOST' in shown.stdout
    assert 'url = "***"  # command: AIRLOCK__DATABASE__URL_CMD' in shown.stdout
    assert TOKEN not in shown.stdout + shown.stderr
    section = tomllib.loads(airlock("config", "list", "--section", "api", AIRLOCK__API__HOST="h").stdout)
    assert (["api"], 1, "h") == (list(section), section["api"]["port"], section["api"]["host"])
    defaults = tomllib.loads(airlock("config", "list", "--defaults", AIRLOCK__API__HOST="h").stdout)
    assert "127.0.0.1" == defaults["api"]["host"]


def test_a_value_is_printed_alone(airlock):
    assert "8080\n" == airlock("config", "get-value", "api", "port").stdout
    assert "false\n" == airlock("config", "get-value", "logging", "frames").stdout
    assert f"{TOKEN}\n" == airlock("config", "get-value", "database", "url", AIRLOCK__DATABASE__URL=TOKEN).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["get-value", "api", "prot"], "did you mean 'port'"),
        (["get-value", "apy", "port"], "did you mean 'api'"),
        (["list", "--section", "apy"], "there is no section 'apy'; there are: access, api,"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(airlock, arguments, says):
    refused = airlock("config", *arguments)

    assert 2 == refused.returncode
    assert says in refused.stderr


def test_looking_at_settings_makes_no_home(airlock, tmp_path):
    airlock("config", "list")

    assert [] == list(tmp_path.iterdir())


@pytest.mark.slow
def test_init_writes_a_file_that_changes_nothing_and_replaces_none(airlock, tmp_path):
    before = airlock("config", "list").stdout
    made = airlock("config", "init")
    file = tmp_path / "home" / "airlock.toml"

    assert 0 == made.returncode, made.stderr
    assert (0o600, 0o700) == tuple(stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent))
    assert airlock("config", "list").stdout == before
    file.write_text("[api]\nport = 1\n")
    again = airlock("config", "init")
    assert (2, True) == (again.returncode, "--force" in again.stderr)
    assert "1\n" == airlock("config", "get-value", "api", "port").stdout
    assert 0 == airlock("config", "init", "--force").returncode
    assert "8080\n" == airlock("config", "get-value", "api", "port").stdout
    assert 0 == airlock("config", "init", str(tmp_path / "other.toml")).returncode
    assert file.read_text() == (tmp_path / "other.toml").read_text()
    assert 1 == airlock("config", "init", str(tmp_path / "absent" / "other.toml")).returncode


CLASS = f"""
class Vault:
    def __init__(self, token):
        self.token = token

    def get_config(self, name):
        if name == "broken":
            raise RuntimeError(self.token)
        return "{TOKEN} of " + name if name != "absent" else None
"""


@pytest.mark.slow
def test_a_setting_comes_from_a_class_by_its_secrets_name(airlock, tmp_path):
    (tmp_path / "own_vault.py").write_text(CLASS.replace("def get_config", "get_variable = None\n\n    def get_config"))
    environ = {
        "PYTHONPATH": str(tmp_path),
        "AIRLOCK__SECRETS__BACKENDS": "own_vault.Vault, database",
        "AIRLOCK__SECRETS__BACKEND_KWARGS_CMD": f'/bin/echo \'{{"token": "{TOKEN}"}}\'',
    }
    value = airlock("config", "get-value", "database", "url", AIRLOCK__DATABASE__URL_SECRET="db", **environ)
    absent = airlock("variables", "list", AIRLOCK__DATABASE__URL_SECRET="absent", **environ)
    broken = airlock("variables", "list", AIRLOCK__DATABASE__URL_SECRET="broken", **environ)
    other = airlock("variables", "list", AIRLOCK__DATABASE__URL_SECRET="db", **environ)

    assert f"{TOKEN} of db\n" == value.stdout
    assert (2, True) == (absent.returncode, "URL_SECRET: no secrets backend" in absent.stderr)
    assert (2, True) == (broken.returncode, "failed when it was asked for a setting: RuntimeError" in broken.stderr)
    assert "is not a database URL" in other.stderr
    assert TOKEN not in absent.stderr + broken.stderr + other.stderr


def test_a_write_that_tasks_will_not_see_says_so(airlock):
    made = airlock("variables", "set", "k", "v", AIRLOCK_VAR_K=TOKEN)
    connection = airlock("connections", "set", "c", "--type", "http", AIRLOCK_CONN_C=f"http://u:{TOKEN}@h")

    assert (0, 0) == (made.returncode, connection.returncode)
    assert "airlock: tasks do not see this variable: backend environment has 'k' and is asked first\n" == made.stderr
    assert "tasks do not see this connection: backend environment has 'c'" in connection.stderr
    assert TOKEN not in made.stderr + connection.stderr
