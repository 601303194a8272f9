"""
The program that calls the task's function in an environment.

Its arguments are files: the function's arguments (pickled), its result (pickled), text arguments (a line each), and the
text of an exception. It uses only what any Python 3 has.
"""

from collections.abc import Mapping
from typing import Any, Final

_START: Final = """\
from __future__ import annotations

import os
import sys

import {pickler}

os.environ["PYTHON_OPERATORS_VIRTUAL_ENV_MODE"] = "1"

{source}
"""
#: Objects that were pickled by the name of the DAG file's module find the function there.
_MODULE: Final = """
import types

{module} = types.ModuleType("{module}")
{module}.{function} = {function}
sys.modules["{module}"] = {module}
"""
_ARGUMENTS: Final = """
with open(sys.argv[1], "rb") as file:
    arg_dict = {pickler}.load(file)
"""
_NO_ARGUMENTS: Final = """
arg_dict = {"args": [], "kwargs": {}}
"""
#: Pickles of pendulum's datetimes are not for another version of it, so they travel as Python's own.
_DATES: Final = """
import datetime

try:
    import pendulum
except ImportError:
    pendulum = None


def _walk(change, value):
    if isinstance(value, dict):
        return {key: _walk(change, each) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[_walk(change, each) for each in value])
    if isinstance(value, (list, tuple)):
        return type(value)(_walk(change, each) for each in value)
    return change(value)


def _to_pendulum(value):
    if pendulum and isinstance(value, datetime.datetime) and not isinstance(value, pendulum.DateTime):
        return pendulum.instance(value)
    return value


def _to_own(value):
    if not pendulum or not isinstance(value, pendulum.DateTime):
        return value
    zone = None
    if value.utcoffset() is not None:
        zone = datetime.timezone(value.utcoffset())
        try:
            import zoneinfo

            zone = zoneinfo.ZoneInfo(value.timezone_name)
        except Exception:
            pass
    return datetime.datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, zone,
        fold=value.fold,
    )


arg_dict = _walk(_to_pendulum, arg_dict)
"""
_TEXTS: Final = """
with open(sys.argv[3]) as file:
    virtualenv_string_args = [line.strip() for line in file]
"""
_CALL: Final = """
try:
    result = {function}(*arg_dict["args"], **arg_dict["kwargs"])
except Exception as error:
    with open(sys.argv[4], "w") as file:
        file.write(str(error))
    raise

if result is not None:
    result = {result}
    with open(sys.argv[2], "wb") as file:
        {pickler}.dump(result, file)
else:
    open(sys.argv[2], "wb").close()
"""


def script(
    *,
    python_callable: str,
    python_callable_source: str,
    pickling_library: str = "pickle",
    has_arguments: bool = True,
    string_args_global: bool = True,
    modified_dag_module_name: str = "",
    pendulum_version_mismatch: bool = False,
) -> str:
    """
    Returns the program that calls a function, whose source is a part of it.

    ``string_args_global`` gives the function the text arguments as ``virtualenv_string_args``.
    """
    words = {"pickler": pickling_library, "function": python_callable}
    parts = [_START.format(**words, source=python_callable_source)]
    if modified_dag_module_name:
        parts.append(_MODULE.format(**words, module=modified_dag_module_name))
    parts.append(_ARGUMENTS.format(**words) if has_arguments else _NO_ARGUMENTS)
    if pendulum_version_mismatch:
        parts.append(_DATES)
    if string_args_global:
        parts.append(_TEXTS)
    result = "_walk(_to_own, result)" if pendulum_version_mismatch else "result"
    parts.append(_CALL.format(**words, result=result))
    return "".join(parts)


def write_python_script(
    jinja_context: Mapping[str, Any],
    filename: str,
    render_template_as_native_obj: bool = False,
) -> None:
    """
    Writes the program to a file. The context has the words that Airflow's operators give.

    ``render_template_as_native_obj`` makes no difference, because the program is not made by a template.
    """
    del render_template_as_native_obj
    names = ("python_callable", "python_callable_source", "pickling_library", "string_args_global")
    words = {name: jinja_context[name] for name in names if name in jinja_context}
    text = script(
        **words,
        has_arguments=bool(jinja_context.get("op_args") or jinja_context.get("op_kwargs")),
        modified_dag_module_name=jinja_context.get("modified_dag_module_name") or "",
        pendulum_version_mismatch=bool(jinja_context.get("pendulum_version_mismatch")),
    )
    with open(filename, "w") as file:
        file.write(text)
