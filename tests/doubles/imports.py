"""What processes import: a command of ours, by the time that it has some modules, and the tests' own process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from airlock_runner.load import is_dag_file


def imported_by(*modules: str) -> set[str]:
    """The names of every module then, those of the interpreter's own start included."""
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from airlock_wire.process.imports import without\n"
        f"with without('typing_extensions'):\n    import {', '.join(modules)}\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def own_imports() -> tuple[list[str], list[str], list[str]]:
    """Returns what decides how this process imports: finders of ours, Airflow's modules, and the path."""
    finders = [str(finder) for finder in sys.meta_path if "airlock" in str(finder)]
    return finders, sorted(name for name in sys.modules if _is_of_dag_files(name)), list(sys.path)


@contextmanager
def imports_restored() -> Iterator[None]:
    """Takes away the finders, the folders of the path and the modules that loading DAG files in this process leaves."""
    finders, path, modules = list(sys.meta_path), list(sys.path), set(sys.modules)
    try:
        yield
    finally:
        sys.meta_path[:], sys.path[:] = finders, path
        for name in [each for each in sys.modules if each not in modules and _is_of_dag_files(each)]:
            del sys.modules[name]


def _is_of_dag_files(name: str) -> bool:
    return name.partition(".")[0] == "airflow" or is_dag_file(name)
