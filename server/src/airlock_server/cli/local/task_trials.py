"""``airlock tasks test`` and ``render``: one try of a task, for its author to look at, that leaves no record."""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from airlock_server.cli import CommandError
from airlock_server.cli.local import new_runs
from airlock_server.cli.local.dag_file import add_env, add_file, opened
from airlock_server.cli.local.launches import EXIT_STOPPED, EXIT_USAGE, at_least, choose, conf_of, ending
from airlock_server.installation import Installation
from airlock_server.launching.local import loglines
from airlock_server.launching.local.executor import borrow
from airlock_server.store import task_instances
from airlock_server.store.errors import StoreError
from airlock_server.store.runs import progress
from airlock_server.store.tries import Outcome
from airlock_wire.pod import RENDER_ONLY
from airlock_wire.states import TaskInstanceState

_EXIT_FAILED = 1
_WENT_WELL = frozenset({TaskInstanceState.SUCCESS, TaskInstanceState.SKIPPED})


def register(commands: Any) -> None:
    """Adds the two commands to those of ``airlock tasks``."""
    test = commands.add_parser(
        "test",
        help="run one task, and keep no record of it",
        description="Runs a task once, whatever the tasks before it did, in a DAG run that is deleted afterwards. "
        "It has no XComs of other tasks.",
        epilog="Exit codes: 0 success or skipped, 1 any other end, 2 wrong usage or the file cannot be imported, 130 "
        "stopped.",
    )
    _arguments(test)
    test.set_defaults(run=run_test)
    render = commands.add_parser(
        "render",
        help="show a task's template fields, rendered",
        description="Renders the template fields of a task, in a process that holds no credential, and runs nothing "
        "else of it. Secrets are masked.",
        epilog="Exit codes: 0 done, 1 the fields cannot be rendered, 2 wrong usage or the file cannot be imported, 130 "
        "stopped.",
    )
    _arguments(render)
    render.set_defaults(run=run_render)


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("task_id", metavar="TASK_ID", help="the task in it")
    parser.add_argument(
        "date", metavar="DATE", nargs="?", type=new_runs.date_of, help="the run's logical date; by default this moment"
    )
    parser.add_argument("--dag-id", help="which DAG, where several in the file have such a task")
    parser.add_argument("--map-index", type=at_least(0), metavar="N", help="the index of a mapped task's instance")
    parser.add_argument(
        "-t",
        "--task-params",
        type=conf_of,
        metavar="JSON",
        help="values of params, a JSON object",
    )
    add_env(parser)


def run_test(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Runs a task once; returns the exit code."""
    return _run(args, environ, {}, ending)


def run_render(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Shows a task's fields; returns the exit code."""
    return _run(args, environ, {RENDER_ONLY: "True"}, _fields)


def _run(
    args: argparse.Namespace,
    environ: Mapping[str, str],
    variables: Mapping[str, str],
    report: Callable[[Installation, Outcome], list[str]],
) -> int:
    """Runs one try in a DAG run of its own. ``variables`` are environment variables of the runner."""
    with opened(args, environ, variables=variables) as file:
        installation, executor = file.installation, file.executor
        dag, task = choose(file.path, file.dags, args.dag_id, args.task_id)
        new = new_runs.new_run(dag, args.date, args.task_params or {}, partial(file.ask, dag))

        def make(conn: Any) -> None:
            borrow(conn, dag)
            progress.make(conn, new)

        try:
            installation.database.write(make)
            index = -1 if args.map_index is None else args.map_index
            ti_id = executor.queue(dag, task, run_id=new.run_id, map_index=index, try_number=1, conf=new.conf)
        except StoreError as e:
            raise CommandError(str(e), EXIT_USAGE) from e
        try:
            file.output.begin()
            outcome, _ = executor.run(ti_id, file.name, task)
            for line in report(installation, outcome):
                file.screen.show(line)
        finally:
            installation.database.write(lambda conn: progress.forget(conn, new.dag_id, new.run_id))
        if executor.stopping:
            return EXIT_STOPPED
        return 0 if outcome.state in _WENT_WELL else _EXIT_FAILED


def _fields(installation: Installation, outcome: Outcome) -> list[str]:
    """Returns a heading and the value of each field; none where they could not be rendered."""
    kept = installation.database.read(lambda conn: task_instances.rendered_fields_of(conn, outcome.key))
    fields: dict[str, Any] = {} if kept is None else msgspec.json.decode(kept)
    lines: list[str] = []
    for name, value in fields.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        lines += [f"# {loglines.printable(name)}", *map(loglines.printable, text.split("\n")), ""]
    return lines
