"""What the commands that launch tasks on this machine share: their options, their output and their signals."""

import argparse
import difflib
import json
import re
import signal
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from airlock_server.cli import CommandError
from airlock_server.installation import Installation
from airlock_server.launching.local import loglines
from airlock_server.launching.local.executor import Executor
from airlock_server.launching.local.screen import Screen
from airlock_server.store import xcoms
from airlock_server.store.tries import Outcome
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask
from airlock_wire.process.settings import PREFIX
from airlock_wire.states import TaskInstanceState

EXIT_USAGE = 2
EXIT_STOPPED = 128 + signal.SIGINT
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: How many lines of a file that is parsed are kept to be shown.
_KEPT_LINES = 1000


def conf_of(text: str) -> dict[str, Any]:
    """Returns the configuration of a DAG run in an argument; raises argparse.ArgumentTypeError."""
    try:
        value = json.loads(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"not JSON: {e}") from e
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('must be a JSON object, for example {"day": "2026-01-01"}')
    return value


def at_least(least: int) -> Any:
    """Returns what turns an argument into a whole number of at least ``least``."""

    def convert(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return convert


def near(name: str, names: list[str]) -> str:
    """Returns a hint at the nearest of some names, or at all of them."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(sorted(set(names))) or 'none'}"


def near_file(file: Path) -> str:
    """Returns a hint at the file that was meant."""
    if not file.parent.is_dir():
        return f"; there is no folder {file.parent}"
    return near(file.name, [path.name for path in file.parent.glob("*.py")])


def stop_on_signals(executor: Executor) -> None:
    """Lets SIGINT and SIGTERM end the launches in an orderly way."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: executor.stop())


class Shown:
    """
    Shows the launches' lines. A file runs once to be parsed and once more for the task, so its top level would print
    everything twice. What it prints while it is parsed is kept, and shown only if parsing fails.
    """

    def __init__(self, screen: Screen, render: Callable[[bytes], str] = loglines.render) -> None:
        self._screen = screen
        self._render = render
        self._held_back: deque[bytes] | None = deque(maxlen=_KEPT_LINES)

    def line(self, line: bytes) -> None:
        """Shows or keeps a line of a launch."""
        if self._held_back is None:
            self._screen.show(self._render(line))
        else:
            self._held_back.append(line)

    def begin(self) -> None:
        """Shows every line from here on: they are the task's own."""
        self._held_back = None

    def release(self) -> None:
        """Shows what the file printed while it was parsed."""
        lines, self._held_back = self._held_back or (), None
        for line in lines:
            self.line(line)


def variables_of(options: list[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment variables that ``--env`` names; raises CommandError."""
    variables = {}
    for each in options:
        name, equals, value = each.partition("=")
        if not _ENV_NAME.fullmatch(name) or name.startswith(PREFIX):
            raise CommandError(f"--env {each}: write NAME or NAME=VALUE, and no name of Airlock's settings", EXIT_USAGE)
        if not equals and name not in environ:
            raise CommandError(f"--env {name}: it is not set here: set it, or write {name}=VALUE", EXIT_USAGE)
        variables[name] = value if equals else environ[name]
    return variables


def choose(
    file: Path, dags: list[SerializedDag], dag_id: str | None, task_id: str
) -> tuple[SerializedDag, SerializedTask]:
    """Returns the DAG and task meant; raises a usage error that names the file and its DAGs or tasks."""
    if dag_id is not None:
        matches = [dag for dag in dags if dag.dag_id == dag_id]
        if not matches:
            raise CommandError(f"{file}: no DAG {dag_id!r}{near(dag_id, [dag.dag_id for dag in dags])}", EXIT_USAGE)
        dags = matches
    having = [(dag, task) for dag in dags if (task := dag.task(task_id)) is not None]
    if not having:
        task_ids = [task.task_id for dag in dags for task in dag.tasks]
        raise CommandError(f"{file}: no task {task_id!r}{near(task_id, task_ids)}", EXIT_USAGE)
    if len(having) > 1:
        names = ", ".join(sorted(dag.dag_id for dag, _ in having))
        raise CommandError(
            f"{file}: several DAGs have a task {task_id!r}: add --dag-id with one of {names}", EXIT_USAGE
        )
    return having[0]


def ending(installation: Installation, outcome: Outcome) -> list[str]:
    """Returns lines that say how a try ended, and what it returned."""
    reason = f"  ({loglines.printable(outcome.reason)})" if outcome.reason else ""
    lines = ["", f"state      {outcome.state.value}{reason}"]
    key = outcome.key
    where = xcoms.XComKey(key.dag_id, key.run_id, key.task_id, "return_value")
    result = installation.database.read(lambda conn: xcoms.get(conn, where, key.map_index))
    if result is not None and outcome.state is TaskInstanceState.SUCCESS:
        lines.append(f"result     {loglines.printable(result[:2000].decode(errors='replace'))}")
    return lines
