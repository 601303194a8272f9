"""The folder that is put into foreign images: whole, readable for all, and free of everything but Python."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from airlock_runner.airflow import folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    parent = tmp_path_factory.mktemp("airlock")
    folder.copy(str(parent))
    return parent / folder.NAME


def python_3_10():
    for place in (*os.environ["PATH"].split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/3.10.*/bin"))):
        if Path(place, "python3.10").exists() and "shims" not in place:
            return str(Path(place, "python3.10"))
    return pytest.skip("no Python 3.10 on this machine; the syntax is checked by the test beside this one")


def test_each_module_is_in_the_syntax_of_python_3_10(made):
    for path in made.rglob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 10))


def test_the_entry_is_in_a_syntax_that_an_old_python_reads_so_that_it_can_say_that_it_is_old(made):
    ast.parse((made / "__main__.py").read_text(), feature_version=(3, 6))


def test_it_imports_nothing_but_the_standard_library_and_itself(made):
    own = {"airlock_runner", "airlock_wire"}
    allowed = sys.stdlib_module_names | own
    found = {}
    for path in made.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert 0 == node.level
                names = [node.module]
                within = [f"{node.module}.{alias.name}" for alias in node.names]
                found |= {name: path for name in within if name.split(".")[0] in own}
            found |= dict.fromkeys(names, path)

    assert [] == sorted(name for name in found if name.split(".")[0] not in allowed)
    for name in found:
        if name.split(".")[0] in own:
            as_module = made / name.replace(".", "/")
            as_name = as_module.parent
            there = [as_module.with_suffix(".py"), as_module / "__init__.py"]
            there += [as_name.with_suffix(".py"), as_name / "__init__.py"]
            assert any(place.exists() for place in there), name


def test_python_3_10_starts_it_where_nothing_else_is_installed_and_nothing_can_be_written(made):
    """-S: no packages; -B: as on a read-only mount. Every module of it is imported."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import airlock_runner.launcher, airlock_runner.airflow.child, airlock_runner.airflow.bundle\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [python_3_10(), "-S", "-B", "-c", code, made], capture_output=True, text=True, check=True, env={}
    )

    assert ["__main__", "airlock_runner", "airlock_wire"] == done.stdout.split()


@pytest.mark.parametrize("flags", [[], ["-I"], ["-P"]])
def test_it_runs_as_a_folder_from_anywhere(made, flags):
    done = subprocess.run(
        [sys.executable, *flags, made, "--help"], capture_output=True, text=True, check=True, env={}, cwd="/"
    )

    assert done.stdout.startswith("usage: python ")


def test_without_a_socket_it_says_how_it_is_called(made):
    done = subprocess.run([sys.executable, made], capture_output=True, text=True, env={}, cwd="/")

    assert (80, True) == (done.returncode, "--socket-dir must be given" in done.stderr)


def test_every_user_may_read_it_whatever_the_builds_umask_is(tmp_path):
    before = os.umask(0o077)
    try:
        folder.copy(str(tmp_path))
    finally:
        os.umask(before)
    paths = [tmp_path / folder.NAME, *(tmp_path / folder.NAME).rglob("*")]

    assert {0o644} == {path.stat().st_mode & 0o777 for path in paths if path.is_file()}
    assert {0o755} == {path.stat().st_mode & 0o777 for path in paths if path.is_dir()}
