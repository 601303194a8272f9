"""``airlock tasks run``: one try of one task of any DAG file, on this machine."""

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

from airlock_server.cli import CommandError
from airlock_server.cli.local import task_trials
from airlock_server.cli.local.dag_file import add_env, add_file, opened
from airlock_server.cli.local.launches import EXIT_STOPPED, EXIT_USAGE, at_least, choose, conf_of, ending
from airlock_server.installation import Installation
from airlock_server.launching.local.executor import Executor
from airlock_server.store.errors import StoreError
from airlock_server.store.tries import Outcome
from airlock_wire.record import Record
from airlock_wire.states import TaskInstanceState

_EXIT = {TaskInstanceState.SUCCESS: 0, TaskInstanceState.SKIPPED: 0, TaskInstanceState.UP_FOR_RETRY: 75}
_EXIT_FAILED = 1

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
    add_file(run_parser)
    run_parser.add_argument("task_id", metavar="TASK_ID", help="the task in it")
    run_parser.add_argument("--dag-id", help="which DAG, where several in the file have such a task")
    run_parser.add_argument("--run-id", help="the DAG run; by default a new one is made")
    run_parser.add_argument("--map-index", type=at_least(0), metavar="N", help="the index of a mapped task's instance")
    run_parser.add_argument("--try", dest="try_number", type=at_least(1), default=1, metavar="N", help="try number (1)")
    run_parser.add_argument("--conf", type=conf_of, metavar="JSON", help="the DAG run's configuration, a JSON object")
    add_env(
        run_parser,
        ". Of the rest of this environment it sees PATH, the language and the time zone only",
    )
    run_parser.set_defaults(run=run)
    task_trials.register(commands)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Runs one try; returns the exit code."""
    with opened(args, environ) as file:
        executor = file.executor
        dag, task = choose(file.path, file.dags, args.dag_id, args.task_id)
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
            raise CommandError(str(e), EXIT_USAGE) from e
        began = time.time()
        file.output.begin()
        outcome, record = executor.run(ti_id, file.name, task)
        _report(file.installation, executor, outcome, record, began, file.screen.show)
        if executor.stopping:
            return EXIT_STOPPED
        return _EXIT.get(outcome.state, _EXIT_FAILED)


def _report(
    installation: Installation,
    executor: Executor,
    outcome: Outcome,
    record: Record | None,
    began: float,
    say: Callable[[str], None],
) -> None:
    for line in ending(installation, outcome):
        say(line)
    key = outcome.key
    say(f"DAG run    {key.run_id}, try {outcome.try_number}" + _again(executor.relaunches))
    say(f"log        {executor.log_file(outcome)}")
    if record is not None:
        say("timeline   milliseconds after the launch")
        for step, name in _STEPS:
            if step in record.timeline:
                say(f"  {(record.timeline[step] - began) * 1000:8.1f}  {name}")


def _again(relaunches: int) -> str:
    return f", launched again {relaunches} times" if relaunches else ""
