"""An environment that is really made, and a function that really runs in it. No package is fetched."""

import pickle
import subprocess
import sys

import pytest

from airlock.standard.virtualenv import prepare_virtualenv, write_python_script

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SECONDS = 200


@pytest.fixture
def _pip(monkeypatch):
    monkeypatch.setenv("AIRLOCK__STANDARD__VENV_INSTALL_METHOD", "pip")


@pytest.mark.usefixtures("_pip")
def test_a_function_runs_with_the_python_of_its_environment(tmp_path):
    python = prepare_virtualenv(str(tmp_path / "venv"), sys.executable, False, index_urls=[])
    files = [tmp_path / name for name in ("in", "out", "texts", "error")]
    files[0].write_bytes(pickle.dumps({"args": [2], "kwargs": {}}))
    files[2].write_text("")
    source = "def f(number):\n    return number * 2, sys.prefix"
    write_python_script(
        {"python_callable": "f", "python_callable_source": source, "pickling_library": "pickle", "op_args": [2]},
        str(tmp_path / "program.py"),
    )

    subprocess.run([python, tmp_path / "program.py", *files], check=True, timeout=SECONDS)

    assert (4, str(tmp_path / "venv")) == pickle.loads(files[1].read_bytes())
    assert "no-index = true" in (tmp_path / "venv" / "pip.conf").read_text()


@pytest.mark.usefixtures("_pip")
def test_a_package_that_cannot_be_installed_is_an_error_with_pips_words_in_the_log(tmp_path, caplog):
    with caplog.at_level("INFO"), pytest.raises(subprocess.CalledProcessError):
        prepare_virtualenv(str(tmp_path / "venv"), sys.executable, False, ["no-such-package"], index_urls=[])

    assert "No matching distribution found for no-such-package" in caplog.text
