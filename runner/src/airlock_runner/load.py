"""
Imports a DAG file and finds the DAG and the task in it.

A file runs as a module of its own, with the bundle's root at the end of ``sys.path``. So ``import`` finds the bundle's
other modules, but never one that is named like an installed package. Prints and warnings of the file are left alone.
Every failure is a LoadError of one line: ``file:line: Kind: what is wrong; what to do``.
"""

import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

from airlock.sdk import DAG, _dag
from airlock.sdk._names import near
from airlock.sdk._task import Task
from airlock.sdk.exceptions import AirlockException, LoadError
from airlock_runner.logs import text_of

NO_DAG = 'no DAG is defined here; write `with DAG("name"):` at the file\'s top level, or call the function under @dag'


def load_task(root: str, file: str, dag_id: str, task_id: str) -> Task:
    """Returns the task, from a file given relative to the bundle's root. Raises LoadError."""
    dags = load_dags(root, file)
    dag = dags.get(dag_id)
    if dag is None:
        raise LoadError(f"{file}: no DAG {dag_id!r} in this file; {near(dag_id, dags)}")
    task = dag.tasks.get(task_id)
    if task is None:
        raise LoadError(f"{file}:{dag.line}: DAG {dag_id!r} has no task {task_id!r}; {near(task_id, dag.tasks)}")
    return task


def load_dags(root: str, file: str) -> dict[str, DAG]:
    """Returns every DAG of a file by its id, in the order of the file. Raises LoadError."""
    path = _path(root, file)
    if root not in sys.path:
        sys.path.append(root)
    module = _imported(root, file, path)
    dags: dict[str, DAG] = {}
    for dag in _dags_of(module, path):
        other = dags.setdefault(dag.dag_id, dag)
        if other is not dag:
            raise LoadError(
                f"{file}:{dag.line}: DuplicateDag: DAG {dag.dag_id!r} is also defined in line {other.line}; "
                "give one of them another dag_id"
            )
        if circle := dag.cycle():
            raise LoadError(
                f"{file}:{dag.line}: CyclicDag: the tasks of DAG {dag.dag_id!r} wait for each other: "
                f"{' >> '.join(circle)}; remove one of these dependencies"
            )
    return dags


def _path(root: str, file: str) -> str:
    path = os.path.normpath(os.path.join(root, file))
    if not path.startswith(os.path.normpath(root) + os.sep):
        raise LoadError(f"{file}: the DAG file must be inside its bundle {root}; give its path relative to that folder")
    if not os.path.isfile(path):
        folder = os.path.dirname(path)
        there = [name for name in os.listdir(folder) if name.endswith(".py")] if os.path.isdir(folder) else []
        hint = near(os.path.basename(path), there) if there else "its folder holds no Python file"
        raise LoadError(f"{file}: no such file in the bundle {root}; {hint}")
    return path


def _imported(root: str, file: str, path: str) -> ModuleType:
    """Returns the module of a file, run once. The name cannot collide with one that the author imports."""
    name = "airlock_dag_file_" + "".join(c if c.isalnum() else "_" for c in file.removesuffix(".py"))
    loader = SourceFileLoader(name, path)
    spec = ModuleSpec(name, loader, origin=path)
    spec.has_location = True
    module = ModuleType(name)
    module.__spec__, module.__loader__, module.__file__ = spec, loader, path
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException as e:
        del sys.modules[name]
        raise LoadError(_import_failure(e, root, file)) from e
    return module


def _import_failure(error: BaseException, root: str, file: str) -> str:
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        place = _within(error.filename or "", root) or file
        return f"{place}:{error.lineno or 1}: {kind}: {error.msg}; correct this line"
    place, line = place_in_bundle(error, root) or (file, 1)
    text = text_of(error).strip().partition("\n")[0]
    fix = "; correct this line"
    if isinstance(error, ModuleNotFoundError):
        fix = "; add the package to the task's image, or the module to the bundle"
    elif isinstance(error, SystemExit):
        text, fix = f"the file ends the process (code {error.code!r})", "; remove the call from its top level"
    elif isinstance(error, AirlockException):
        # Ours say themselves what to do.
        fix = ""
    return f"{place}:{line}: {kind}: {text or 'no message'}{fix}"


def place_in_bundle(error: BaseException, root: str) -> tuple[str, int] | None:
    """Returns the author's own line that an error came from: the deepest one inside the bundle, by its path there."""
    place = None
    trace = error.__traceback__
    while trace is not None:
        if within := _within(trace.tb_frame.f_code.co_filename, root):
            place = (within, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _within(path: str, root: str) -> str | None:
    base = os.path.normpath(root) + os.sep
    return path[len(base) :] if path.startswith(base) else None


def _dags_of(module: ModuleType, path: str) -> list[DAG]:
    """Returns the DAGs that the file's variables hold, and those it opened without keeping them; each once."""
    module_dags = [value for value in vars(module).values() if isinstance(value, DAG)]
    opened = [dag for dag in _dag.opened if dag.file == path]
    dags = {id(dag): dag for dag in (*opened, *module_dags)}
    return list(dags.values())
