"""Calling a function in another Python: its arguments go by a pickle, and its value comes back by one."""

import os
import pickle
import subprocess
import tempfile
from collections.abc import Container, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from airlock.sdk.exceptions import AirlockException, AirlockSkipException
from airlock.standard.virtualenv.script import write_python_script

SERIALIZERS: Final = ("pickle", "cloudpickle", "dill")


def library(serializer: str) -> ModuleType:
    """Returns the module that pickles. Raises AirlockException for one that is unknown or not installed."""
    if serializer not in SERIALIZERS:
        expected = ", ".join(map(repr, SERIALIZERS))
        raise AirlockException(f"Unsupported serializer {serializer!r}. Expected one of {expected}")
    try:
        return import_module(serializer)
    except ImportError:
        raise AirlockException(f"the serializer {serializer!r} is not installed; add it to the task's image") from None


def pickled(pickler: ModuleType, args: Any, kwargs: Mapping[str, Any]) -> bytes:
    """Returns the arguments as bytes. Raises AirlockException that names those that cannot be pickled."""
    try:
        return bytes(pickler.dumps({"args": args, "kwargs": dict(kwargs)}))
    except Exception:
        wrong = [name for name, value in kwargs.items() if not _can(pickler, value)]
        if not wrong:
            raise
        raise AirlockException(
            f"Failed to serialize op_kwargs. The following keys contain objects that cannot be pickled: {wrong}; pass "
            "texts or numbers of them"
        ) from None


def _can(pickler: ModuleType, value: Any) -> bool:
    try:
        pickler.dumps(value)
    except Exception:  # noqa: BLE001 - a value's own code may raise anything
        return False
    return True


def call(
    python: str,
    *,
    name: str,
    source: str,
    serializer: str,
    args: Any,
    kwargs: Mapping[str, Any],
    string_args: Iterable[str],
    environment: Mapping[str, str],
    skip_on_exit_code: Container[int],
    run: Any,
    pendulum_version_mismatch: bool = False,
) -> Any:
    """
    Returns what the function of this source returned in ``python``. ``run(command, environment)`` runs a command.

    Raises AirlockSkipException for one of the exit codes, and AirlockException with the error's text for another.
    """
    pickler = library(serializer)
    with tempfile.TemporaryDirectory(prefix="venv-call") as folder:
        files = [
            os.path.join(folder, each)
            for each in ("script.py", "script.in", "script.out", "string_args.txt", "termination.log")
        ]
        script, given, returned, texts, error = files
        if args or kwargs:
            with open(given, "wb") as file:
                file.write(pickled(pickler, args, kwargs))
        with open(texts, "w", encoding="utf-8") as text_file:
            text_file.write("\n".join(map(str, string_args)))
        words = {
            "op_args": args,
            "op_kwargs": kwargs,
            "pickling_library": serializer,
            "python_callable": name,
            "python_callable_source": source,
            "pendulum_version_mismatch": pendulum_version_mismatch,
        }
        write_python_script(jinja_context=words, filename=script)
        try:
            run([python, *files], dict(environment))
        except subprocess.CalledProcessError as e:
            if e.returncode in skip_on_exit_code:
                raise AirlockSkipException(f"Process exited with code {e.returncode}. Skipping.") from None
            if os.path.exists(error) and (text := _text(error)):
                raise AirlockException(f"Process returned non-zero exit status {e.returncode}.\n{text}") from None
            raise
        if 0 in skip_on_exit_code:
            raise AirlockSkipException("Process exited with code 0. Skipping.")
        if not os.path.getsize(returned):
            return None
        with open(returned, "rb") as file:
            return pickler.load(file) if serializer != "pickle" else pickle.load(file)  # noqa: S301 - the author's own


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
