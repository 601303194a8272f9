"""The commands that make an environment, and the program that runs in it."""

import pickle
import subprocess
import sys

import pytest

from airlock.standard.virtualenv import commands, environment, write_python_script
from airlock.standard.virtualenv.script import script


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ({"system_site_packages": False, "uv": False}, ["py", "-m", "venv", "/v"]),
        ({"system_site_packages": True, "uv": False}, ["py", "-m", "venv", "/v", "--system-site-packages"]),
        (
            {"system_site_packages": False, "uv": True},
            ["uv", "venv", "--allow-existing", "--seed", "--python", "py", "/v"],
        ),
    ],
)
def test_an_environment_is_made_by_a_command(options, command):
    assert command == commands.create("/v", "py", **options)


def test_packages_are_installed_into_it():
    assert ["/v/bin/pip", "install", "-q", "a", "b"] == commands.install("/v", ["a", "b"], ["-q"], uv=False)
    assert ["uv", "pip", "install", "--python", "/v/bin/python", "-r", "f"] == commands.install(
        "/v", ["-r", "f"], [], uv=True
    )


def test_indexes_are_named_to_pip_and_to_uv():
    assert "[global]\nno-index = true" == commands.pip_conf([])
    assert "[global]\nindex-url = a\nextra-index-url = b c" == commands.pip_conf(["a", "b", "c"])
    assert {"UV_DEFAULT_INDEX": "a", "UV_INDEX": "b c"} == commands.uv_variables(["a", "b", "c"])
    assert {} == commands.uv_variables(None)


@pytest.mark.parametrize(("method", "uv"), [("uv", True), ("pip", False)])
def test_a_setting_says_what_makes_environments(monkeypatch, method, uv):
    monkeypatch.setenv("AIRFLOW__STANDARD__VENV_INSTALL_METHOD", method)
    assert uv == environment.uses_uv()
    monkeypatch.setenv("AIRFLOW__STANDARD__VENV_INSTALL_METHOD", "conda")
    with pytest.raises(ValueError, match="venv_install_method"):
        environment.uses_uv()


def test_two_kinds_of_requirements_are_refused():
    with pytest.raises(ValueError, match="not both"):
        environment.prepare_virtualenv("/v", "python", False, ["a"], "f")


def test_a_command_that_fails_is_an_error_and_its_output_is_in_the_log(caplog):
    with caplog.at_level("INFO"), pytest.raises(subprocess.CalledProcessError):
        environment.run([sys.executable, "-c", "print('why'); raise SystemExit(3)"], {})

    assert "why" in caplog.messages


class Called:
    """The program's files, and what came of a call of it."""

    def __init__(self, folder, source, arguments=(), **options):
        self.files = [folder / name for name in ("in", "out", "texts", "error")]
        self.files[0].write_bytes(pickle.dumps({"args": list(arguments), "kwargs": {}}))
        self.files[2].write_text("one\ntwo\n")
        program = folder / "program.py"
        program.write_text(script(python_callable="f", python_callable_source=source, **options))
        self.done = subprocess.run(
            [sys.executable, "-I", program, *self.files], capture_output=True, text=True, timeout=60
        )

    @property
    def result(self):
        assert 0 == self.done.returncode, self.done.stderr
        return pickle.loads(data) if (data := self.files[1].read_bytes()) else None


def test_a_function_is_called_with_its_arguments(tmp_path):
    assert (3, "PYTHON_OPERATORS_VIRTUAL_ENV_MODE") == Called(
        tmp_path, "def f(a, b):\n    return a + b, [k for k in os.environ if 'OPERATORS' in k][0]", [1, 2]
    ).result
    assert None is Called(tmp_path, "def f():\n    pass", has_arguments=False).result


def test_a_function_sees_the_text_arguments(tmp_path):
    assert ["one", "two"] == Called(tmp_path, "def f():\n    return virtualenv_string_args", has_arguments=False).result


def test_an_exception_is_written_and_raised(tmp_path):
    call = Called(tmp_path, "def f():\n    raise ValueError('why')", has_arguments=False)

    assert (1, "why") == (call.done.returncode, call.files[3].read_text())
    assert "ValueError: why" in call.done.stderr


def test_objects_of_the_dag_files_module_find_their_function(tmp_path):
    source = "def f():\n    import dag_module\n    return dag_module.f is f"

    assert Called(tmp_path, source, has_arguments=False, modified_dag_module_name="dag_module").result


def test_dates_travel_as_pythons_own_between_versions_of_pendulum(tmp_path):
    import datetime as dt

    source = "def f(when):\n    return {'when': [when]}"
    moment = dt.datetime(2026, 3, 8, tzinfo=dt.UTC)

    assert {"when": [moment]} == Called(tmp_path, source, [moment], pendulum_version_mismatch=True).result


def test_the_program_is_written_by_the_words_of_airflows_operators(tmp_path):
    words = {
        "python_callable": "f", "python_callable_source": "def f():\n    return 1", "pickling_library": "pickle", "op_args": [],
        "op_kwargs": {}, "string_args_global": False, "expect_airflow": True,
    }  # fmt: skip
    write_python_script(words, str(tmp_path / "p.py"))

    text = (tmp_path / "p.py").read_text()
    assert "virtualenv_string_args" not in text
    compile(text, "p.py", "exec")
