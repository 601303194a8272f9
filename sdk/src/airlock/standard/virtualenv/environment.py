"""Making an environment: the commands are run here, and their output goes to the task's log."""

import logging
import os
import shutil
import subprocess

from airlock.sdk.basis.settings import setting
from airlock.standard.virtualenv import commands

_log = logging.getLogger(__name__)


def uses_uv() -> bool:
    """
    Tells whether uv makes environments: ``[standard] venv_install_method``, which is uv, pip or auto.

    auto is uv where it is installed. Raises ValueError for another value.
    """
    method = setting("standard", "venv_install_method", "auto").lower()
    if method not in ("auto", "uv", "pip"):
        raise ValueError(f"[standard] venv_install_method must be auto, uv or pip, not {method!r}")
    return method == "uv" or (method == "auto" and shutil.which("uv") is not None)


def prepare_virtualenv(
    venv_directory: str,
    python_bin: str,
    system_site_packages: bool,
    requirements: list[str] | None = None,
    requirements_file_path: str | None = None,
    pip_install_options: list[str] | None = None,
    index_urls: list[str] | None = None,
) -> str:
    """
    Makes an environment with these packages, and returns the path of its Python.

    ``python_bin`` is the Python that it is made of. ``index_urls`` are where packages come from; without them the
    machine's own settings hold. Raises ValueError for both a list and a file of requirements, and CalledProcessError
    for a command that failed, whose output is in the log.
    """
    if requirements is not None and requirements_file_path is not None:
        raise ValueError("pass requirements or requirements_file_path, and not both")
    uv = uses_uv()
    environment = {**os.environ, **(commands.uv_variables(index_urls) if uv else {})}
    if index_urls is not None:
        os.makedirs(venv_directory, exist_ok=True)
        with open(os.path.join(venv_directory, "pip.conf"), "w") as file:
            file.write(commands.pip_conf(index_urls))
    run(commands.create(venv_directory, python_bin, system_site_packages=system_site_packages, uv=uv), environment)
    packages = ["-r", requirements_file_path] if requirements_file_path else list(requirements or [])
    if packages:
        run(commands.install(venv_directory, packages, pip_install_options or [], uv=uv), environment)
    return f"{venv_directory}/bin/python"


def run(command: list[str], environment: dict[str, str]) -> None:
    """Runs a command, with its output in the log; raises CalledProcessError if it failed."""
    import shlex  # deferred: with the rest of what a command costs

    _log.info("Running %s", shlex.join(command))
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as process:
        for line in process.stdout or ():
            _log.info("%s", line.decode(errors="backslashreplace").rstrip())
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
