"""``airlock tasks test`` and ``render``: one try of a task, for its author to look at, that leaves no record."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from airlock_server.cli import CommandError
from airlock_server.cli.local import new_runs
from airlock_server.cli.local.embedded import embedded_server
from airlock_server.cli.local.launches import (
    EXIT_USAGE,
    Shown,
    at_least,
    choose,
    conf_of,
    dags_of,
    ending,
    near_file,
    stop_on_signals,
    variables_of,
)
from airlock_server.installation import Installation
from airlock_server.launching.local import loglines
from airlock_server.launching.local.executor import BUNDLE, Executor
from airlock_server.launching.local.screen import Screen
from airlock_server.store import task_instances, tries
from airlock_server.store.errors import StoreError
from airlock_server.store.runs import progress
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask
from airlock_wire.pod import RENDER_ONLY
from airlock_wire.states import TaskInstanceState

_EXIT_FAILED = 1
_EXIT_STOPPED = 130
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
    parser.add_argument("file", metavar="FILE", help="the DAG file")
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
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="an environment variable that user code gets, with its value here or another; may be given again",
    )


def run_test(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Runs a task once; returns the exit code."""
    return _Trial(args, environ, {}).run()


def run_render(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Shows a task's fields; returns the exit code."""
    return _Trial(args, environ, {RENDER_ONLY: "True"}).run()


class _Trial:
    """One try in a DAG run of its own."""

    def __init__(self, args: argparse.Namespace, environ: Mapping[str, str], more: Mapping[str, str]) -> None:
        """``more`` are environment variables of the runner."""
        file = Path(args.file)
        if not file.is_file():
            raise CommandError(f"{file}: no such DAG file{near_file(file)}", EXIT_USAGE)
        self._args = args
        self._file = file.resolve()
        self._environ = environ
        self._variables = {**variables_of(args.env, environ), **more}
        self._renders = RENDER_ONLY in more

    def run(self) -> int:
        """Returns the exit code."""
        screen = Screen()
        try:
            with Installation(self._environ) as installation:
                return self._run(installation, screen)
        finally:
            screen.close()

    def _run(self, installation: Installation, screen: Screen) -> int:
        output = Shown(screen)
        executor = Executor(installation, self._file.parent, self._environ, output.line, self._variables)
        if executor.isolation.exposed:
            screen.show(f"note: {executor.isolation.exposed}")
        stop_on_signals(executor)
        file_dags = dags_of(executor, self._file.name, output)
        dag, task = choose(self._file, file_dags, self._args.dag_id, self._args.task_id)
        new = new_runs.new_run(dag, self._args.date, self._args.task_params or {})
        try:
            ti_id = self._queue(installation, executor, dag, task, new)
        except StoreError as e:
            raise CommandError(str(e), EXIT_USAGE) from e
        try:
            with embedded_server(installation) as server:
                executor.serve_at(server.url)
                output.begin()
                outcome, _ = executor.run(ti_id, self._file.name, task)
            if self._renders:
                for line in _fields(installation, ti_id):
                    screen.show(line)
            else:
                for line in ending(installation, outcome):
                    screen.show(line)
        finally:
            installation.database.write(lambda conn: progress.forget(conn, new.dag_id, new.run_id))
        if executor.stopping:
            return _EXIT_STOPPED
        return 0 if outcome.state in _WENT_WELL else _EXIT_FAILED

    def _queue(
        self,
        installation: Installation,
        executor: Executor,
        dag: SerializedDag,
        task: SerializedTask,
        new: progress.NewRun,
    ) -> str:
        def make(conn: Any) -> None:
            tries.borrow_dag(conn, dag.dag_id, BUNDLE)
            progress.make(conn, new)

        installation.database.write(make)
        index = -1 if self._args.map_index is None else self._args.map_index
        return executor.queue(dag, task, run_id=new.run_id, map_index=index, try_number=1, conf=new.conf)


def _fields(installation: Installation, ti_id: str) -> list[str]:
    """Returns a heading and the value of each field; none where they could not be rendered."""
    kept = installation.database.read(lambda conn: task_instances.rendered_fields_of(conn, ti_id))
    fields: dict[str, Any] = {} if kept is None else msgspec.json.decode(kept)
    lines: list[str] = []
    for name, value in fields.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        lines += [f"# {loglines.printable(name)}", *map(loglines.printable, text.split("\n")), ""]
    return lines
