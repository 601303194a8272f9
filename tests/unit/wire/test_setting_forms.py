"""A secret setting as a value, as a command that prints it, and as the name of a secret; and what is refused."""

import sys
import time
from typing import Annotated

import msgspec
import pytest

from airlock_wire.process import setting_command
from airlock_wire.process.settings import SECRET, SECRET_BY_COMMAND, Origin, SettingsError, load, read

TOKEN = "open-sesame"


class Database(msgspec.Struct, frozen=True):
    url: Annotated[str, SECRET] = ""
    pool: int = 5


class Secrets(msgspec.Struct, frozen=True):
    kwargs: Annotated[str, SECRET_BY_COMMAND] = ""


class All(msgspec.Struct, frozen=True):
    database: Database = Database()
    secrets: Secrets = Secrets()


def python(code):
    return f"{sys.executable} -c '{code}'"


PRINTS = f"echo {TOKEN}"


def known(settings, name):
    return f"{name} of {settings.secrets.kwargs or 'nobody'}" if name != "absent" else None


@pytest.mark.parametrize(
    ("environ", "text", "url", "origin"),
    [
        ({}, "", "", None),
        ({"URL": "e"}, "", "e", ("environment", "value", "AIRLOCK__DATABASE__URL")),
        ({"URL_CMD": PRINTS}, "", TOKEN, ("environment", "cmd", "AIRLOCK__DATABASE__URL_CMD")),
        ({"URL_SECRET": "s"}, "", "s of nobody", ("environment", "secret", "AIRLOCK__DATABASE__URL_SECRET")),
        ({}, 'url = "f"', "f", ("file", "value", "[database] url")),
        ({}, f'url_cmd = "{PRINTS}"', TOKEN, ("file", "cmd", "[database] url_cmd")),
        ({}, 'url_secret = "s"', "s of nobody", ("file", "secret", "[database] url_secret")),
        ({"URL": "e"}, 'url_cmd = "false"', "e", ("environment", "value", "AIRLOCK__DATABASE__URL")),
        ({"URL_CMD": PRINTS}, 'url = "f"', TOKEN, ("environment", "cmd", "AIRLOCK__DATABASE__URL_CMD")),
        ({"URL_SECRET": "s"}, 'url = "f"', "s of nobody", ("environment", "secret", "AIRLOCK__DATABASE__URL_SECRET")),
    ],
)
def test_the_environments_form_wins_over_the_files(tmp_path, environ, text, url, origin):
    file = tmp_path / "airlock.toml"
    file.write_text(f"[database]\n{text}\n")
    named = {f"AIRLOCK__DATABASE__{key}": value for key, value in environ.items()}
    settings, origins = read(All, named | {"PATH": "/usr/bin:/bin"}, file, known)
    of_url = origins.get(("database", "url"))

    assert url == settings.database.url
    assert (None if origin is None else Origin(*origin)) == (
        of_url if of_url is None else of_url._replace(name=of_url.name.removeprefix(f"{file}: "))
    )


def test_a_secret_is_looked_up_with_the_settings_that_are_known():
    environ = {"AIRLOCK__DATABASE__URL_SECRET": "s", "AIRLOCK__SECRETS__KWARGS_CMD": "/bin/echo vault"}

    assert "s of vault" == load(All, environ, None, known).database.url


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"DATABASE__URL": "a", "DATABASE__URL_CMD": "b"}, "AIRLOCK__DATABASE__URL and AIRLOCK__DATABASE__URL_CMD"),
        ({"DATABASE__URL_CMD": "a", "DATABASE__URL_SECRET": "b"}, "are one setting in two forms; keep one"),
        ({"DATABASE__POOL_CMD": "echo 5"}, "'pool' in section 'database' is given by its value only"),
        ({"DATABASE__POOL_SECRET": "s"}, "'pool' in section 'database' is given by its value only"),
        ({"SECRETS__KWARGS_SECRET": "s"}, "'kwargs' in section 'secrets' is given by its value only"),
        ({"DATABASE__URI_CMD": "a"}, "no setting 'uri_cmd' in section 'database'; did you mean 'url_cmd'"),
        ({"DATABASE__URL_SECRET": "absent"}, "AIRLOCK__DATABASE__URL_SECRET: no secrets backend"),
    ],
)
def test_a_form_that_cannot_be_is_refused_by_name(environ, says):
    with pytest.raises(SettingsError) as refusal:
        load(All, {f"AIRLOCK__{name}": value for name, value in environ.items()}, None, known)

    assert says in str(refusal.value)


def test_two_forms_in_the_file_are_refused(tmp_path):
    file = tmp_path / "airlock.toml"
    file.write_text('[database]\nurl = "a"\nurl_cmd = "b"\n')
    with pytest.raises(SettingsError, match="two forms"):
        load(All, {}, file)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (python(f'print("{TOKEN}"); raise SystemExit(3)'), "failed with exit code 3"),
        (python(f'import sys; print("{TOKEN}", file=sys.stderr); raise SystemExit(1)'), "failed with exit code 1"),
        (python(f'import os; os.write(1, b"{TOKEN}\\xff")'), "not UTF-8"),
        (python(""), "printed nothing"),
        (f"/nonexistent/{TOKEN}", "cannot be started: No such file or directory"),
        (f"echo '{TOKEN}", "a quotation mark without its pair"),
        ("", "is empty"),
    ],
)
def test_a_commands_failure_names_the_setting_and_shows_no_output(command, says, capfd):
    with pytest.raises(SettingsError) as refusal:
        load(All, {"AIRLOCK__DATABASE__URL_CMD": command})

    assert str(refusal.value).startswith("AIRLOCK__DATABASE__URL_CMD: ")
    assert says in str(refusal.value)
    assert TOKEN not in str(refusal.value)
    assert TOKEN not in "".join(capfd.readouterr())


def test_only_the_last_line_break_of_a_command_is_dropped():
    assert "a\n" == setting_command.output(python('print("a\\n")'), {})


def test_a_command_runs_without_a_shell():
    assert "$HOME; ls" == setting_command.output("/bin/echo '$HOME; ls'", {"HOME": "/"})


def test_a_command_that_takes_too_long_is_killed_with_what_it_started(tmp_path):
    code = f'import os, time; os.fork(); time.sleep(1); open("{tmp_path}/late", "w")'
    with pytest.raises(setting_command.CommandFailed, match=r"took more than 0\.3 s"):
        setting_command.output(python(code), {}, 0.3)
    time.sleep(1)
    assert not (tmp_path / "late").exists()


def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path):
    file = tmp_path / "airlock.toml"
    file.write_text("[database]\nurl = 12345\n")
    with pytest.raises(SettingsError, match="its value is not text") as refusal:
        load(All, {}, file)

    assert "12345" not in str(refusal.value)
