"""
Imports a DAG file and finds the DAG and the task in it.

A file runs as a module of its own, with the bundle's root at the end of ``sys.path``. So ``import`` finds the bundle's
other modules, but never one that is named like an installed package. Prints and warnings of the file are left alone.
Every failure is a LoadError of one line: ``file:line: Kind: what is wrong; what to do``.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from airlock import names
from airlock.sdk._names import near
from airlock.sdk.definitions.dag import DAG
from airlock.sdk.definitions.graph import stack
from airlock.sdk.definitions.parsing_context import set_parsing_context
from airlock.sdk.exceptions import AirlockException, LoadError
from airlock_runner import archive
from airlock_runner.logs import text_of

#: The beginning of the name of a DAG file's module.
_PREFIX = "airlock_dag_file_"
NO_DAG = 'no DAG is defined here; write `with DAG("name"):` at the file\'s top level, or call the function under @dag'


def load_task(root: str, file: str, dag_id: str, task_id: str) -> Any:
    """Returns the task, from a file given relative to the bundle's root. Raises LoadError."""
    set_parsing_context(dag_id, task_id)
    dags = load_dags(root, file)
    dag = dags.get(dag_id)
    if dag is None:
        raise LoadError(f"{file}: no DAG {dag_id!r} in this file; {near(dag_id, dags)}")
    task = dag.task_dict.get(task_id)
    if task is None:
        raise LoadError(f"{file}:{dag.line}: DAG {dag_id!r} has no task {task_id!r}; {near(task_id, dag.task_dict)}")
    return task


def load_dags(root: str, file: str) -> dict[str, DAG]:
    """Returns every DAG of a file by its id, in the order of the file. Raises LoadError."""
    path = _path(root, file)
    if root not in sys.path:
        sys.path.append(root)
    # A DAG file that was written for Airflow imports by its names.
    names.install()
    dags: dict[str, DAG] = {}
    for dag in _all_dags(root, file, path):
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
        _validate(dag, file)
    return dags


def is_dag_file(module_name: str) -> bool:
    """Tells whether a module's name is the one that a DAG file has while it is loaded."""
    return module_name.startswith(_PREFIX)


def load_named(path: str, load_file: Callable[[], object]) -> Any:
    """
    Returns what a path names: a class or function of a module, or inside a class. For one of a DAG file ``load_file``
    loads that file before, because running it twice would define its DAGs twice. Raises ImportError.
    """
    names.install()
    module_name, _, rest = path.partition(".")
    if is_dag_file(module_name):
        load_file()
    module = import_module(module_name)
    while "." in rest:
        name, _, after = rest.partition(".")
        if hasattr(module, name) and not isinstance(getattr(module, name), ModuleType):
            break
        module_name, rest = f"{module_name}.{name}", after
        module = import_module(module_name)
    value: Any = module
    for name in rest.split("."):
        try:
            value = getattr(value, name)
        except AttributeError as e:
            raise ImportError(f"{path!r}: {value!r} has no {name!r}") from e
    return value


def _validate(dag: DAG, file: str) -> None:
    try:
        dag.validate()
    except (ValueError, AirlockException) as e:
        raise LoadError(f"{file}:{dag.line}: {type(e).__name__}: DAG {dag.dag_id!r}: {e}") from e


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


def _all_dags(root: str, file: str, path: str) -> list[DAG]:
    if not archive.is_archive(path):
        return _dags_of(_imported(root, file, path))
    try:
        modules = archive.imported(path, lambda module, loader: _run(module, loader, root, file))
    except ImportError as e:
        raise LoadError(f"{file}:1: {type(e).__name__}: {e}; pack the archive again") from e
    return [dag for module in modules for dag in _dags_of(module)]


def _imported(root: str, file: str, path: str) -> ModuleType:
    """Returns the module of a file, run once. The name cannot collide with one that the author imports."""
    name = _PREFIX + "".join(c if c.isalnum() else "_" for c in file.removesuffix(".py"))
    loader = _Uncached(name, path) if sys.dont_write_bytecode else SourceFileLoader(name, path)
    spec = ModuleSpec(name, loader, origin=path)
    spec.has_location = True
    module = ModuleType(name)
    module.__spec__, module.__loader__, module.__file__ = spec, loader, path
    sys.modules[name] = module
    _run(module, loader, root, file)
    return module


class _Uncached(SourceFileLoader):
    """
    Compiles a file each time. Kept bytecode is told apart by the file's size and its second alone. So of a file that is
    saved twice in a second the first text would be parsed.
    """

    def get_code(self, fullname: str) -> CodeType:
        """Returns the code of the file as it is now."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _run(module: ModuleType, loader: Any, root: str, file: str) -> None:
    try:
        with stack.loading(module.__name__):
            loader.exec_module(module)
    except BaseException as e:
        if sys.modules.get(module.__name__) is module:
            del sys.modules[module.__name__]
        raise LoadError(_import_failure(e, root, file)) from e


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


def failure_of(error: BaseException, root: str) -> str:
    """Returns an error of the author's code in one line: file and line, its kind, and its first line of text."""
    if isinstance(error, LoadError):
        return str(error)
    place = place_in_bundle(error, root)
    if place is None:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = ("?", 0) if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    text = text_of(error).strip().partition("\n")[0]
    return f"{place[0]}:{place[1]}: {type(error).__name__}: {text or 'no message'}"


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


def _dags_of(module: ModuleType) -> list[DAG]:
    """Returns the DAGs that the file's variables hold, and those it opened without keeping them; each once."""
    module_dags = [value for value in vars(module).values() if isinstance(value, DAG)]
    opened = [dag for dag in stack.opened if dag.module_name == module.__name__]
    dags = {id(dag): dag for dag in (*opened, *module_dags)}
    return list(dags.values())
