"""``dag.test()``: one run of a DAG on this machine, for its author, by the command ``airlock dags test``."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from airlock.sdk.basis.notset import NOTSET
from airlock.sdk.exceptions import AirlockException

_STATES = {0: "success", 1: "failed"}


class EndedRun(NamedTuple):
    """How a run has ended: ``success`` or ``failed``."""

    dag_id: str
    logical_date: datetime | None
    state: str


def run(
    dag: Any,
    logical_date: Any,
    run_conf: dict[str, Any] | None,
    files: Mapping[str, str | None],
    use_executor: bool,
    mark_success_pattern: Any,
) -> EndedRun:
    """
    Runs a DAG of a file once, and prints what happens. ``files`` are those of connections and variables.

    Each task runs in a process of its own, so it does not see what this process has changed. Raises AirlockException
    where the command is not installed, or cannot run the DAG.
    """
    if use_executor:
        raise AirlockException("dag.test() always runs the tasks on this machine: leave use_executor out")
    folders = [os.path.dirname(sys.executable), os.environ.get("PATH", "")]
    command = shutil.which("airlock", path=os.pathsep.join(folders))
    if command is None:
        raise AirlockException("dag.test() runs the command `airlock`, which is not there: install airlock-server")
    date = datetime.now(UTC) if logical_date is NOTSET else logical_date
    words = [command, "dags", "test", dag.fileloc, dag.dag_id, *([] if date is None else [date.isoformat()])]
    if run_conf:
        words += ["--conf", json.dumps(run_conf)]
    if mark_success_pattern is not None:
        words += ["--mark-success-pattern", re.compile(mark_success_pattern).pattern]
    sys.stdout.flush()
    done = subprocess.run(words, env={**os.environ, **_secrets(files)}, check=False)
    if done.returncode not in _STATES:
        raise AirlockException(f"DAG {dag.dag_id!r} was not run: the command says why ({done.returncode})")
    return EndedRun(dag.dag_id, date, _STATES[done.returncode])


def _secrets(files: Mapping[str, str | None]) -> dict[str, str]:
    """Returns the settings by which the server looks into files of connections and variables first."""
    given = {f"AIRLOCK__SECRETS__{kind}_FILE": os.path.abspath(path) for kind, path in files.items() if path}
    if given:
        others = os.environ.get("AIRLOCK__SECRETS__BACKENDS", "environment, database")
        given["AIRLOCK__SECRETS__BACKENDS"] = f"file, {others}"
    return given
