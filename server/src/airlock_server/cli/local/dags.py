"""``airlock dags``: one run of a whole DAG on this machine, and the files of a folder that cannot be imported."""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from airlock_server.cli import CommandError
from airlock_server.cli.local import run_view
from airlock_server.cli.local.dag_file import add_env, add_file, opened
from airlock_server.cli.local.launches import (
    EXIT_STOPPED,
    EXIT_USAGE,
    conf_of,
    near,
    stop_on_signals,
)
from airlock_server.cli.local.new_runs import date_of, new_run
from airlock_server.cli.serving import serving
from airlock_server.dag_processor.discovery.walk import Walker
from airlock_server.installation import Installation
from airlock_server.launching.local import loglines
from airlock_server.launching.local.callbacks import Callbacks, dag_log
from airlock_server.launching.local.dag_run import LOOK_SECONDS, DagRunner, Result
from airlock_server.launching.local.executor import CannotLaunch, Executor, borrow
from airlock_server.launching.local.parsing import FileParse, log_name
from airlock_server.launching.local.screen import Screen
from airlock_server.launching.local.triggers import LocalTriggers
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.snapshot import End, Key, Limits
from airlock_server.store import xcoms
from airlock_server.store.assets import of_dags
from airlock_server.store.errors import OwnedElsewhere, StoreError
from airlock_server.store.runs.progress import NewRun, Row
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.states import TaskInstanceState

_EXIT_FAILED = 1
#: How often the picture of a run is drawn again.
_DRAW_SECONDS = 0.2
_MAX_RESULT_CHARS = 60
#: What the files of a folder belong to while they are checked.
_CHECKED = "checked"


def register(subparsers: Any) -> None:
    """Adds the commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser("dags", help="run and check DAG files on this machine")
    commands = parser.add_subparsers(dest="dags_command", required=True, metavar="COMMAND", title="commands")
    test_parser = commands.add_parser(
        "test",
        help="run a whole DAG once",
        description="Runs a DAG once, without a scheduler: each task in a process that holds no credential, behind a "
        "sidecar that does, several at a time. A terminal shows the run as it goes; else each change is a line.",
        epilog="Exit codes: 0 the run succeeded, 1 it failed, 2 wrong usage or the file cannot be imported, 130 "
        "stopped.",
    )
    add_file(test_parser)
    test_parser.add_argument("dag_id", metavar="DAG", nargs="?", help="which DAG, where the file has several")
    test_parser.add_argument(
        "date", metavar="DATE", nargs="?", type=date_of, help="the run's logical date; by default this moment"
    )
    test_parser.add_argument(
        "-c", "--conf", type=conf_of, metavar="JSON", help="the DAG run's configuration, a JSON object"
    )
    test_parser.add_argument(
        "--mark-success-pattern",
        type=_pattern,
        metavar="REGEX",
        help="tasks whose whole id matches succeed without being run",
    )
    add_env(test_parser)
    test_parser.set_defaults(run=run_dag)
    errors_parser = commands.add_parser(
        "list-import-errors",
        help="list the DAG files of a folder that cannot be imported",
        description="Imports each DAG file below a folder, each in a process of its own, and prints the errors. Which "
        "files those are is decided as by the DAG processor: .airflowignore, safe mode, zip archives. A file without a "
        "DAG is not an error.",
        epilog="Exit codes: 0 there are no errors, 1 there are, 2 wrong usage.",
    )
    errors_parser.add_argument("folder", metavar="FOLDER", help="the folder of DAG files")
    errors_parser.set_defaults(run=list_import_errors)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as e:
        raise argparse.ArgumentTypeError(f"{text!r} is not a regular expression: {e}") from e


# --- dags test ---


def run_dag(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Runs a DAG once; returns the exit code."""
    live = run_view.is_live(sys.stdout)
    with opened(args, environ, render=_render) as file:
        executor, screen = file.executor, file.screen
        dag = _choose(file.path, file.dags, args.dag_id)
        file.installation.database.write(lambda conn: _note(conn, file.dags))
        new = new_run(dag, args.date, args.conf or {}, partial(file.ask, dag))
        graph = DagGraph(dag)
        if not live:
            file.output.begin()
        view = run_view.Live(graph) if live else run_view.Plain(screen.show)
        pattern = args.mark_success_pattern
        callbacks = Callbacks(file.installation, executor, file.name)
        remarks: list[str] = []
        runner = DagRunner(
            file.installation,
            executor,
            dag,
            file.name,
            triggers=LocalTriggers(file.installation, executor),
            show=view.show,
            marks_success=lambda task_id: pattern is not None and pattern.fullmatch(task_id) is not None,
            look_seconds=_DRAW_SECONDS if live else LOOK_SECONDS,
            call_back=callbacks.of_task,
            begins=lambda: remarks.extend(_listen(callbacks, executor, dag.dag_id, new.run_id, None)),
            limits=_limits(file.installation),
        )
        try:
            result = runner.run(new)
        except StoreError as e:
            raise CommandError(str(e), EXIT_USAGE) from e
        file.output.begin()
        remarks += _call_back(callbacks, executor, dag, new, result)
        for line in _report(file.installation, executor, graph, new, result):
            screen.show(line)
        for line in remarks:
            screen.show(line)
        if executor.stopping:
            return EXIT_STOPPED
        return 0 if result.end is not None and result.end.state == "success" else _EXIT_FAILED


def _note(conn: Any, dags: Sequence[SerializedDag]) -> None:
    """Notes what tasks of one DAG of a file may ask of the others: their assets, and runs that they trigger."""
    for each in dags:
        of_dags.register(conn, each)
        # One that is another's cannot be run here, and the server says so to whoever triggers it.
        with suppress(OwnedElsewhere):
            borrow(conn, each)


def _limits(installation: Installation) -> Limits:
    core = installation.settings.core
    return Limits(max_active_tasks=core.max_active_tasks_per_dag, max_retry_delay_seconds=core.max_task_retry_delay)


def _call_back(callbacks: Callbacks, executor: Executor, dag: SerializedDag, new: NewRun, result: Result) -> list[str]:
    """Calls the DAG's callbacks and the listeners for how its run ended; returns lines about them."""
    end = result.end
    if end is None or executor.stopping:
        return []
    lines = []
    if ("on_success" if end.state == "success" else "on_failure") in dag.has_callbacks:
        ti_id = next((row.ti_id for row in result.rows if row.instance.key == end.relevant), None)
        errors = callbacks.of_dag(dag.dag_id, new.run_id, end, ti_id)
        lines += [f"callback   {loglines.printable(error)}" for error in errors]
        lines.append(f"callbacks  {executor.logs / dag_log(dag.dag_id, new.run_id)}")
    return lines + _listen(callbacks, executor, dag.dag_id, new.run_id, end)


def _listen(callbacks: Callbacks, executor: Executor, dag_id: str, run_id: str, end: End | None) -> list[str]:
    """Tells the listeners how a run ended, or that it runs: None; returns lines about those that failed."""
    if not executor.may_listen:
        return []
    errors = callbacks.of_listeners(dag_id, run_id, end)
    return [f"listener   {loglines.printable(error)}" for error in errors]


class _Place(msgspec.Struct):
    """Who wrote a line of a log: a task instance, or what belongs to a whole run."""

    task_id: str = ""
    map_index: int = -1
    dag_id: str = ""
    run_id: str = ""


def _render(line: bytes) -> str:
    """Returns a line of a log, with the task before it, or the DAG: several run at a time."""
    try:
        record = msgspec.json.decode(line, type=_Place)
    except msgspec.MsgspecError:
        return loglines.render(line)
    if not record.task_id:
        of_run = f"DAG {loglines.printable(record.dag_id)}: " if record.run_id else ""
        return f"{of_run}{loglines.render(line)}"
    name = run_view.name_of(Key(record.task_id, record.map_index))
    return f"{loglines.printable(name)}: {loglines.render(line)}"


def _choose(file: Path, dags: list[SerializedDag], dag_id: str | None) -> SerializedDag:
    """Returns the DAG meant; raises a usage error that names the file's DAGs."""
    names = [dag.dag_id for dag in dags]
    if dag_id is None and len(dags) == 1:
        return dags[0]
    if dag_id is None:
        raise CommandError(f"{file}: it has several DAGs; name one of {', '.join(sorted(names))}", EXIT_USAGE)
    chosen = next((dag for dag in dags if dag.dag_id == dag_id), None)
    if chosen is None:
        raise CommandError(f"{file}: no DAG {dag_id!r}{near(dag_id, names)}", EXIT_USAGE)
    return chosen


def _report(installation: Installation, executor: Executor, graph: DagGraph, new: NewRun, result: Result) -> list[str]:
    """Returns the lines of the final table, the log of each launched instance, and the run's state."""
    rows = sorted(result.rows, key=lambda row: (graph.order.get(row.instance.task_id, 0), row.instance.map_index))
    names = {row.instance.key: loglines.printable(run_view.name_of(row.instance.key)) for row in rows}
    width = max(map(len, names.values()), default=0)
    began = min((row.start_date for row in rows if row.start_date is not None), default=None)
    lines = ["", f"{'task':<{width}}  {'state':<16} try   start    took  result"]
    for row in rows:
        state = run_view.label(row.instance.state)
        value = _result(installation, new, row)
        head = f"{names[row.instance.key]:<{width}}  {state:<16} {row.instance.try_number:>3}"
        lines.append(f"{head}  {_times(row, began)}  {value}".rstrip())
    lines.append("")
    for row in rows:
        outcome = result.outcomes.get(row.instance.key)
        if outcome is not None:
            reason = f"  ({loglines.printable(outcome.reason)})" if outcome.reason else ""
            lines.append(f"log        {executor.log_file(outcome)}{reason}")
    end = result.end
    words = "stopped" if end is None else end.state if end.state == end.reason else f"{end.state}  ({end.reason})"
    return [*lines, f"DAG run    {new.run_id}", f"state      {words}"]


def _times(row: Row, began: datetime | None) -> str:
    """Returns two columns: how long after the first task of the run an instance started, and how long it took."""
    if row.start_date is None or began is None:
        return " " * 14
    start = f"{(row.start_date - began).total_seconds():.2f}s"
    took = "" if row.instance.end_date is None else f"{(row.instance.end_date - row.start_date).total_seconds():.2f}s"
    return f"{start:>6}  {took:>6}"


def _result(installation: Installation, new: NewRun, row: Row) -> str:
    """Returns what an instance that succeeded has pushed, cut for a line."""
    key: Key = row.instance.key
    if row.instance.state is not TaskInstanceState.SUCCESS:
        return ""
    where = xcoms.XComKey(new.dag_id, new.run_id, key.task_id, "return_value")
    value = installation.database.read(lambda conn: xcoms.get(conn, where, key.map_index))
    text = "" if value is None else loglines.printable(value[: 4 * _MAX_RESULT_CHARS].decode(errors="replace"))
    return text if len(text) <= _MAX_RESULT_CHARS else f"{text[:_MAX_RESULT_CHARS]}..."


# --- dags list-import-errors ---


def list_import_errors(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Prints the import errors of a folder's files; returns the exit code."""
    folder = Path(args.folder)
    if not folder.is_dir():
        raise CommandError(f"{folder}: no such folder", EXIT_USAGE)
    folder = folder.resolve()
    screen = Screen()
    try:
        with Installation(environ) as installation:
            core = installation.settings.core
            walker = Walker(root=folder, syntax=core.dag_ignore_file_syntax, safe_mode=core.dag_discovery_safe_mode)
            files = sorted(walker.find())
            executor = Executor(installation, folder, environ, lambda _: None)
            stop_on_signals(executor)
            seconds = installation.settings.parse.timeout_seconds
            with serving(installation) as url, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                executor.serve_at(url)
                results = pool.map(lambda file: _import_error(executor, folder, file, seconds), files)
                errors = [error for error in results if error]
        for problem in walker.problems:
            screen.show(f"note: {loglines.printable(problem)}")
        for error in errors:
            screen.show("\n".join(map(loglines.printable, error.split("\n"))))
        screen.show(f"{len(files)} files, {len(errors)} of them with import errors")
    finally:
        screen.close()
    if executor.stopping:
        return EXIT_STOPPED
    return _EXIT_FAILED if errors else 0


def _import_error(executor: Executor, folder: Path, file: str, seconds: float) -> str:
    """Returns why a file cannot be imported; empty if it can, or has no DAG."""
    if executor.stopping:
        return ""
    parse = FileParse(file=file, bundle=_CHECKED, log_path=f"parse/{log_name(file)}.log", import_seconds=seconds)
    try:
        result = executor.parse_file(parse)
    except CannotLaunch as e:
        return f"{folder / file}: {e}"
    return "" if result.empty else result.error
