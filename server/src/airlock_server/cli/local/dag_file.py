"""A DAG file that a command of this machine has opened: it is parsed, and its tasks can be launched."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from airlock_server.cli import CommandError
from airlock_server.cli.local.launches import EXIT_USAGE, Shown, near_file, stop_on_signals, variables_of
from airlock_server.cli.serving import serving
from airlock_server.installation import Installation
from airlock_server.launching.local import loglines, timetables
from airlock_server.launching.local.executor import BUNDLE, Executor
from airlock_server.launching.local.parsing import CannotParse
from airlock_server.launching.local.screen import Screen
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.protocol.timetables import Answer, Question


class DagFile(msgspec.Struct, frozen=True):
    """
    The file, its DAGs, what launches their tasks, and where their output goes. ``name`` is its path in the bundle.
    """

    path: Path
    name: str
    dags: list[SerializedDag]
    installation: Installation
    executor: Executor
    output: Shown
    screen: Screen

    def ask(self, dag: SerializedDag, question: Question) -> Answer:
        """Returns what the own timetable of a DAG answers. What it printed is shown if it has no answer."""
        seconds = self.installation.settings.parse.timeout_seconds
        source = timetables.TimetableSource(bundle=BUNDLE, file=self.name, dag_id=dag.dag_id, seconds=seconds)
        answer = timetables.ask(self.executor, source, [question])[0]
        if answer.error:
            self.output.release()
        return answer


def add_file(parser: argparse.ArgumentParser) -> None:
    """Adds the argument that names the file."""
    parser.add_argument("file", metavar="FILE", help="the DAG file")


def add_env(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Adds the option for user code's environment variables. ``more`` goes on with its help."""
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help=f"an environment variable that user code gets, with its value here or another; may be given again{more}",
    )


@contextmanager
def opened(
    args: argparse.Namespace,
    environ: Mapping[str, str],
    *,
    render: Callable[[bytes], str] = loglines.render,
    variables: Mapping[str, str] | None = None,
) -> Iterator[DagFile]:
    """
    Parses the file of the arguments and yields it, with an API server for its launches; SIGINT and SIGTERM end them in
    an orderly way.

    ``render`` makes lines of a launch's log text. ``variables`` are further environment variables of user code. Raises
    CommandError for a file that is not there or cannot be imported. What such a file printed is shown before.
    """
    path = Path(args.file)
    if not path.is_file():
        raise CommandError(f"{path}: no such DAG file{near_file(path)}", EXIT_USAGE)
    path = path.resolve()
    given = {**variables_of(args.env, environ), **(variables or {})}
    screen = Screen()
    try:
        with Installation(environ) as installation:
            output = Shown(screen, render)
            root = _root(path, installation)
            name = str(path.relative_to(root))
            executor = Executor(installation, root, environ, output.line, given)
            if executor.isolation.exposed:
                screen.show(f"note: {executor.isolation.exposed}")
            stop_on_signals(executor)
            # A file may read variables and connections while it is imported.
            with serving(installation) as url:
                executor.serve_at(url)
                yield DagFile(path, name, _dags(executor, name, output), installation, executor, output, screen)
    finally:
        screen.close()


def _root(path: Path, installation: Installation) -> Path:
    """Returns the root of the file's bundle: the folder of DAG files, if the file is in it, else its own folder."""
    folder = installation.home.path / (installation.settings.core.dags_folder or "dags")
    return folder.resolve() if path.is_relative_to(folder.resolve()) else path.parent


def _dags(executor: Executor, file: str, output: Shown) -> list[SerializedDag]:
    try:
        return executor.parse(file).dags
    except CannotParse as e:
        output.release()
        raise CommandError("\n".join(map(loglines.printable, str(e).split("\n"))), EXIT_USAGE) from e
