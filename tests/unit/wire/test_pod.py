"""What the containers agree on is readable by the oldest Python a user's image may have."""

import ast
from pathlib import Path

import pytest

import airlock_runner
import airlock_wire
from airlock_wire import logplace, pod

STANDARD_ONLY = [
    *(
        Path(airlock_wire.__path__[0], name)
        for name in ("__init__.py", "pod.py", "process/__init__.py", "process/kernel.py", "process/imports.py")
    ),
    *(
        Path(airlock_runner.__path__[0], name)
        for name in ("__init__.py", "launcher.py", "link.py", "memory.py", "__main__.py")
    ),
]


@pytest.mark.parametrize("file", STANDARD_ONLY, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_launcher_and_what_it_imports_are_python_3_10_and_standard_library(file):
    import sys

    tree = ast.parse(file.read_text(), feature_version=(3, 10))
    top = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) and node.col_offset == 0]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in top if isinstance(node, ast.ImportFrom)}
    ours = {
        "airlock_wire",
        "airlock_wire.process",
        "airlock_wire.process.imports",
        "airlock_runner",
        "airlock_runner.link",
    }

    assert not {name for name in names - ours if name.partition(".")[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"event": 1}', b"\xff"])
def test_what_is_no_control_line_is_refused(raw):
    with pytest.raises(ValueError):
        pod.parse_line(raw)


def test_a_control_line_survives_the_way():
    assert {"event": "exited", "code": 3} == pod.parse_line(pod.line(pod.EXITED, code=3))


def test_the_launchers_exit_codes_are_its_own():
    own = [value for name, value in vars(pod).items() if name.startswith("EXIT_") and isinstance(value, int)]

    assert sorted([0, 137, 143, 80, 81, 83]) == sorted(own)


@pytest.mark.parametrize(
    ("map_index", "path"),
    [(-1, "dag_id=d/run_id=r/task_id=t/attempt=2.log"), (0, "dag_id=d/run_id=r/task_id=t/map_index=0/attempt=2.log")],
)
def test_a_log_lies_where_airflows_readers_look(map_index, path):
    assert path == logplace.log_path("d", "r", "t", map_index, 2)
