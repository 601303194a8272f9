"""
The launcher's way into a foreign image: the sidecar copies it, and the command of the container that needs it waits.
"""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from doubles.sidecar import work

from airlock_operator.pod import launcher
from airlock_runner.airflow import folder
from airlock_sidecar import launcher_copy

#: What stands for the launcher: it says how it was started.
ENTRY = "import json, sys\nprint(json.dumps([sys.argv, sys.orig_argv[1:], sys.flags.no_site]))\n"


@pytest.fixture
def start(tmp_path):
    """Starts what the operator asks a foreign image for, with the launcher's place below a folder of the test."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    started = []

    def begin(*arguments, cwd=None, seconds="60", **env):
        command = [each.replace("+ 60\n", f"+ {seconds}\n") for each in launcher.command()]
        command[0], command[-1] = str(programs / "python"), str(tmp_path / "opt" / "launcher")
        process = subprocess.Popen(
            [*command, *arguments], cwd=cwd, env={"PATH": str(programs)} | env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    (tmp_path / "opt").mkdir()
    yield begin
    for process in started:
        process.kill()
        process.communicate()


def bring(tmp_path):
    source = tmp_path / "image" / "launcher"
    source.mkdir(parents=True)
    (source / "__main__.py").write_text(ENTRY)
    launcher_copy.copy(source, tmp_path / "opt")


def test_a_container_that_starts_first_waits_for_the_launcher_and_becomes_it(start, tmp_path):
    process = start("--socket-dir", "/s", "--grace-seconds", "60")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    bring(tmp_path)
    out, err = process.communicate(timeout=10)
    place = str(tmp_path / "opt" / "launcher")
    arguments = [place, "--socket-dir", "/s", "--grace-seconds", "60"]

    assert ("", 0) == (err, process.returncode)
    assert f"{[arguments, arguments, 0]}".replace("'", '"') == out.strip()


@pytest.mark.parametrize("variable", ["", "PYTHONSAFEPATH", "PYTHONUNBUFFERED"])
def test_what_lies_in_the_images_working_folder_is_not_imported(start, tmp_path, variable):
    bring(tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    for name in ("os", "signal", "time", "site", "posix"):
        (work / f"{name}.py").write_text("raise SystemExit('shadowed')")
    out, err = start(cwd=work, **({variable: "1"} if variable else {})).communicate(timeout=10)

    assert ("", True) == (err, out.startswith("[["))


def test_a_container_that_is_told_to_stop_while_it_waits_ends_at_once_as_stopped(start):
    process = start()
    caught = Path(f"/proc/{process.pid}/status")
    while not int(
        next(line for line in caught.read_text().splitlines() if line.startswith("SigCgt")).split()[1], 16
    ) & (1 << (signal.SIGTERM - 1)):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)

    assert 143 == process.wait(10)


def test_a_container_whose_launcher_never_comes_says_where_to_look(start):
    process = start(seconds="0.2")
    _, err = process.communicate(timeout=10)

    assert 81 == process.returncode
    assert "the sidecar did not bring it in 60 s; see the log of the container sidecar" in err


def test_the_wait_is_in_the_syntax_of_the_oldest_python_that_is_told_that_it_is_too_old():
    ast.parse(launcher.command()[3], feature_version=(3, 6))


# --- the copy ---


def test_the_copy_is_the_whole_folder_and_is_there_at_once(tmp_path):
    folder.copy(str(tmp_path / "image"))
    source, parent = tmp_path / "image" / folder.NAME, tmp_path / "opt"
    parent.mkdir()
    (parent / "launcher.new").mkdir()
    (parent / "launcher.new" / "half").write_text("left by a sidecar that was killed half way")
    launcher_copy.copy(source, parent)

    assert ["launcher"] == os.listdir(parent)
    assert contents(source) == contents(parent / "launcher")


def test_a_sidecar_that_starts_again_leaves_the_copy_as_it_is(tmp_path):
    (tmp_path / "opt").mkdir()
    bring(tmp_path)
    before = (tmp_path / "opt" / "launcher").stat().st_ino
    (tmp_path / "image" / "launcher" / "__main__.py").unlink()
    launcher_copy.copy(tmp_path / "image" / "launcher", tmp_path / "opt")

    assert before == (tmp_path / "opt" / "launcher").stat().st_ino
    assert ENTRY == (tmp_path / "opt" / "launcher" / "__main__.py").read_text()


def test_a_sidecar_without_the_folder_in_its_image_says_so_and_ends_as_set_up_wrongly(tmp_path):
    settings = {
        "AIRLOCK__SIDECAR__SOCKET_DIR": str(tmp_path), "AIRLOCK__SIDECAR__STATE_DIR": str(tmp_path),
        "AIRLOCK__SIDECAR__LOG_DIR": str(tmp_path), "AIRLOCK__SIDECAR__LAUNCHER_PARENT": str(tmp_path),
        "AIRLOCK__SIDECAR__LAUNCHER_SOURCE": str(tmp_path / "gone"), "AIRLOCK__SIDECAR__WORKLOAD": msgspec.json.encode(work()).decode(),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "airlock_sidecar"], env=settings, capture_output=True, text=True, timeout=30
    )

    assert 2 == done.returncode
    assert "AIRLOCK__SIDECAR__LAUNCHER_PARENT: nothing was copied" in done.stderr
    assert f"{tmp_path / 'gone'} must be the launcher's folder" in done.stderr


def contents(parent):
    return {path.relative_to(parent): path.read_bytes() for path in parent.rglob("*") if path.is_file()}
