"""What a launch does not import before user code: each of these costs milliseconds that a short task would pay."""

import subprocess
import sys

import pytest
from doubles.imports import imported_by

UNWANTED = [
    "asyncio", "concurrent", "ctypes", "dataclasses", "difflib", "http", "importlib.metadata", "importlib.util", "inspect",
    "jinja2", "json", "logging", "multiprocessing", "pathlib", "random", "socketserver", "ssl", "subprocess", "tempfile",
    "threading", "tokenize", "traceback", "typing_extensions", "unittest", "urllib", "zoneinfo",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["airlock_runner.task.execute", "airlock_runner.parse"])
def test_a_launch_imports_none_of_these(mode):
    assert [] == sorted(imported_by("airlock_runner.child", mode) & set(UNWANTED))


def test_a_launch_without_assets_imports_nothing_about_them():
    about_assets = {
        "airlock.sdk.definitions.asset", "airlock_wire.assets", "airlock_runner.task.assets.context",
        "airlock_runner.task.assets.events", "airlock_runner.task.assets.state_store", "airlock_wire.protocol.lookups",
        "airlock_wire.protocol.stores",
    }  # fmt: skip
    imported = imported_by("airlock_runner.child", "airlock_runner.task.execute")

    assert "airlock_runner.task.stores.state_store" in imported
    assert set() == imported & about_assets


def test_a_launch_of_a_task_does_not_know_what_a_serialized_dag_is():
    imported = imported_by("airlock_runner.child", "airlock_runner.task.execute")

    assert [] == [name for name in imported if name.startswith(("airlock_wire.dags", "airlock_wire.protocol.dags"))]


def test_the_launcher_leaves_for_after_its_fork_what_its_child_has_no_use_for():
    assert [] == sorted(imported_by("airlock_runner.launcher") & {"ctypes", "json", "msgspec"})


def test_what_was_hidden_from_msgspec_is_there_for_user_code():
    pytest.importorskip("typing_extensions")
    program = (
        "from airlock_wire.process.imports import without\n"
        "with without('typing_extensions'):\n    import airlock_runner.child\n"
        "import typing_extensions; typing_extensions.TypedDict"
    )

    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_sdk_alone_imports_no_carrier_and_no_templates():
    unwanted = {"jinja2", "socket", "airlock_runner", "logging", "asyncio", "http", "ssl"}

    assert [] == sorted(imported_by("airlock.sdk") & unwanted)
