"""``airlock tasks run``: one try of one task of any DAG file, on this machine."""

import argparse
import difflib
import json
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from airlock_server.api.serve import EmbeddedServer
from airlock_server.cli import CommandError
from airlock_server.installation import Installation
from airlock_server.launching.local import loglines
from airlock_server.launching.local.executor import CannotParse, Executor
from airlock_server.launching.local.screen import Screen
from airlock_server.store import xcoms
from airlock_server.store.errors import StoreError
from airlock_server.store.tries import Outcome
from airlock_wire.process.settings import PREFIX
from airlock_wire.protocol.dags import SerializedDag, SerializedTask
from airlock_wire.record import Record
from airlock_wire.states import TaskInstanceState

_EXIT = {TaskInstanceState.SUCCESS: 0, TaskInstanceState.SKIPPED: 0, TaskInstanceState.UP_FOR_RETRY: 75}
_EXIT_FAILED = 1
_EXIT_USAGE = 2
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: How many lines of a file that is parsed are kept to be shown.
_KEPT_LINES = 1000

#: The steps of a launch in their order, and their names for people.
_STEPS = (
    ("listening", "sidecar listens"),
    ("connected", "launcher connected"),
    ("running", "server says: run"),
    ("started", "task handed to the runner"),
    ("terminal", "runner reported its state"),
    ("acknowledged", "server has the state"),
    ("exited", "runner gone"),
)


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("tasks", help="run tasks on this machine")
    commands = parser.add_subparsers(dest="tasks_command", required=True, metavar="COMMAND", title="commands")
    run_parser = commands.add_parser(
        "run",
        help="run one try of one task of a DAG file",
        description="Runs one try of one task: parses the file, then runs the task in a process that holds no "
        "credential, behind a sidecar that does, against an API server on this machine's database.",
        epilog="Exit codes: 0 success or skipped, 1 failed, 2 wrong usage or the file cannot be imported, 75 failed "
        "and up for retry (call again with --try one higher), 130 stopped.",
    )
    run_parser.add_argument("file", metavar="FILE", help="the DAG file")
    run_parser.add_argument("task_id", metavar="TASK_ID", help="the task in it")
    run_parser.add_argument("--dag-id", help="which DAG, where several in the file have such a task")
    run_parser.add_argument("--run-id", help="the DAG run; by default a new one is made")
    run_parser.add_argument("--map-index", type=_at_least(0), metavar="N", help="the index of a mapped task's instance")
    run_parser.add_argument(
        "--try", dest="try_number", type=_at_least(1), default=1, metavar="N", help="try number (1)"
    )
    run_parser.add_argument("--conf", type=_conf, metavar="JSON", help="the DAG run's configuration, a JSON object")
    run_parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="an environment variable that user code gets, with its value here or another; may be given again. Of the "
        "rest of this environment it sees PATH, the language and the time zone only",
    )
    run_parser.set_defaults(run=run)


def _at_least(least: int) -> Any:
    def convert(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return convert


def _conf(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"not JSON: {e}") from e
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('must be a JSON object, for example {"day": "2026-01-01"}')
    return value


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Runs one try; returns the exit code."""
    file = Path(args.file)
    if not file.is_file():
        raise CommandError(f"{file}: no such DAG file{_near_file(file)}", _EXIT_USAGE)
    file = file.resolve()
    variables = _variables(args.env, environ)
    screen = Screen()
    try:
        return _run(args, file, environ, variables, screen)
    finally:
        screen.close()


def _run(
    args: argparse.Namespace, file: Path, environ: Mapping[str, str], variables: Mapping[str, str], screen: Screen
) -> int:
    with Installation(environ) as installation:
        output = Shown(screen)
        executor = Executor(installation, file.parent, environ, output.line, variables)
        if executor.isolation.exposed:
            screen.show(f"note: {executor.isolation.exposed}")
        _stop_on_signals(executor)
        try:
            parsed = executor.parse(file.name)
        except CannotParse as e:
            output.release()
            raise CommandError("\n".join(map(loglines.printable, str(e).split("\n"))), _EXIT_USAGE) from e
        dag, task = _choose(file, parsed.dags, args.dag_id, args.task_id)
        run_id = (
            args.run_id or f"manual__{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}.{time.time_ns() % 10**9:09d}Z"
        )
        try:
            ti_id = executor.queue(
                dag,
                task,
                run_id=run_id,
                map_index=-1 if args.map_index is None else args.map_index,
                try_number=args.try_number,
                conf=args.conf,
            )
        except StoreError as e:
            raise CommandError(str(e), _EXIT_USAGE) from e
        with EmbeddedServer(
            installation.database,
            installation.tokens,
            installation.encryption,
            secrets=installation.secrets,
            state_store=installation.settings.state_store,
        ) as server:
            executor.serve_at(server.url)
            began = time.time()
            output.begin()
            outcome, record = executor.run(ti_id, file.name, task)
        _report(installation, executor, outcome, record, began, screen.show)
        if executor.stopping:
            return 128 + signal.SIGINT
        return _EXIT.get(outcome.state, _EXIT_FAILED)


def _choose(
    file: Path, dags: list[SerializedDag], dag_id: str | None, task_id: str
) -> tuple[SerializedDag, SerializedTask]:
    """Returns the DAG and task meant; raises a usage error that names the file and its DAGs or tasks."""
    if dag_id is not None:
        matches = [dag for dag in dags if dag.dag_id == dag_id]
        if not matches:
            raise CommandError(f"{file}: no DAG {dag_id!r}{_near(dag_id, [dag.dag_id for dag in dags])}", _EXIT_USAGE)
        dags = matches
    having = [(dag, task) for dag in dags if (task := dag.task(task_id)) is not None]
    if not having:
        task_ids = [task.task_id for dag in dags for task in dag.tasks]
        raise CommandError(f"{file}: no task {task_id!r}{_near(task_id, task_ids)}", _EXIT_USAGE)
    if len(having) > 1:
        names = ", ".join(sorted(dag.dag_id for dag, _ in having))
        raise CommandError(
            f"{file}: several DAGs have a task {task_id!r}: add --dag-id with one of {names}", _EXIT_USAGE
        )
    return having[0]


def _near(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(sorted(set(names))) or 'none'}"


def _near_file(file: Path) -> str:
    if not file.parent.is_dir():
        return f"; there is no folder {file.parent}"
    return _near(file.name, [path.name for path in file.parent.glob("*.py")])


def _stop_on_signals(executor: Executor) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: executor.stop())


class Shown:
    """
    Shows the launches' lines. A file runs once to be parsed and once more for the task, so its top level would print
    everything twice. What it prints while it is parsed is kept, and shown only if parsing fails.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._held_back: deque[bytes] | None = deque(maxlen=_KEPT_LINES)

    def line(self, line: bytes) -> None:
        """Shows or keeps a line of a launch."""
        if self._held_back is None:
            self._screen.show(loglines.render(line))
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


def _variables(options: list[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment variables that ``--env`` names; raises CommandError."""
    variables = {}
    for each in options:
        name, equals, value = each.partition("=")
        if not _ENV_NAME.fullmatch(name) or name.startswith(PREFIX):
            raise CommandError(
                f"--env {each}: write NAME or NAME=VALUE, and no name of Airlock's settings", _EXIT_USAGE
            )
        if not equals and name not in environ:
            raise CommandError(f"--env {name}: it is not set here: set it, or write {name}=VALUE", _EXIT_USAGE)
        variables[name] = value if equals else environ[name]
    return variables


def _report(
    installation: Installation,
    executor: Executor,
    outcome: Outcome,
    record: Record | None,
    began: float,
    say: Callable[[str], None],
) -> None:
    say("")
    reason = f"  ({loglines.printable(outcome.reason)})" if outcome.reason else ""
    say(f"state      {outcome.state.value}{reason}")
    key = outcome.key
    where = xcoms.XComKey(key.dag_id, key.run_id, key.task_id, "return_value")
    result = installation.database.read(lambda conn: xcoms.get(conn, where, key.map_index))
    if result is not None and outcome.state is TaskInstanceState.SUCCESS:
        say(f"result     {loglines.printable(result[:2000].decode(errors='replace'))}")
    say(f"DAG run    {key.run_id}, try {outcome.try_number}" + _again(executor.relaunches))
    say(f"log        {executor.log_file(outcome)}")
    if record is not None:
        say("timeline   milliseconds after the launch")
        for step, name in _STEPS:
            if step in record.timeline:
                say(f"  {(record.timeline[step] - began) * 1000:8.1f}  {name}")


def _again(relaunches: int) -> str:
    return f", launched again {relaunches} times" if relaunches else ""
