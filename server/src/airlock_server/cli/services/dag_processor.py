"""``airlock dag-processor``."""

import argparse
import contextlib
import logging
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import airlock_server
from airlock_server import log as facts
from airlock_server.cli import CommandError
from airlock_server.cli.local.launches import EXIT_USAGE, near
from airlock_server.cli.serving import database_of, serving
from airlock_server.dag_processor.bundles import Bundle, configured, with_examples
from airlock_server.dag_processor.launches import Launches
from airlock_server.dag_processor.processor import Processor
from airlock_server.installation import Installation
from airlock_server.launching.local import loglines

_log = logging.getLogger("airlock.dag_processor")

#: Where the examples are: in a checkout, and where the server's package was installed.
_EXAMPLES = (
    Path(airlock_server.__file__).parents[3] / "examples",
    Path(sys.prefix, "share", "airlock", "examples"),
)


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "dag-processor",
        help="parse the DAG files of the bundles, and store their DAGs",
        description="Parses the DAG files of the bundles, again and again, until it gets SIGTERM or SIGINT: changed "
        "files at once, the others after a while. Each file is imported by a process of its own that holds no "
        "credential and cannot reach the database.",
        epilog="Bundles, order and limits: sections [core] and [dag_processor] of airlock.toml, or "
        "AIRLOCK__CORE__DAGS_FOLDER and so on. The output of each file: logs/dag_processor of the home.",
    )
    parser.add_argument(
        "-n", "--num-runs", type=_passes, default=0, metavar="N", help="end after each file was parsed N times"
    )
    parser.add_argument(
        "-B",
        "--bundle",
        action="append",
        default=[],
        metavar="NAME",
        help="parse the files of this bundle only; may be given again",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Parses until it is told to stop; returns the exit code."""
    with Installation(environ) as here:
        settings = here.settings
        facts.configure(settings.logging.level, settings.logging.format)
        folder = settings.core.dags_folder or str(here.home.path / "dags")
        storage = settings.dag_processor.dag_bundle_storage_path or "bundles"
        listed = settings.dag_processor.dag_bundle_config_list
        all_bundles = configured(listed, here.home.path / folder, here.home.path / storage)
        if settings.core.load_examples:
            all_bundles = with_examples(all_bundles, _EXAMPLES)
        bundles = _chosen(all_bundles, args.bundle)
        for bundle in bundles:
            if bundle.source is not None or bundle.path == here.home.path / "dags":
                bundle.path.mkdir(parents=True, exist_ok=True)
        to_stdout = settings.dag_processor.dag_processor_log_target == "stdout"
        database = database_of(here)
        with _lookups(here) as url:
            parser = Launches(here, environ, _print if to_stdout else _discard, url)
            for bundle in bundles:
                if words := parser.exposed(bundle):
                    _log.warning("a bundle's code is not isolated", extra={"bundle": bundle.name, "why": words})
            processor = Processor(
                database,
                parser,
                bundles,
                core=settings.core,
                settings=settings.dag_processor,
                configured=[bundle.name for bundle in all_bundles],
                passes=args.num_runs,
                environ=environ,
            )
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: processor.stop())
            _log.info("parsing", extra={"bundles": ",".join(bundle.name for bundle in bundles)})
            try:
                processor.run()
            finally:
                parser.close()
        return 0


@contextmanager
def _lookups(here: Installation) -> Iterator[str]:
    """
    Yields where files may look up variables and connections while they are imported. It is empty where those are
    granted to namespaces: a file has none.
    """
    if here.settings.access.default == "all":
        with serving(here) as url:
            yield url
    else:
        yield ""


def _passes(text: str) -> int:
    number = int(text) if text.lstrip("-").isdecimal() else 0
    # Airflow writes -1 for without an end.
    if number < 1 and number != -1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of at least 1; leave it out to go on without an end"
        )
    return max(number, 0)


def _chosen(bundles: Sequence[Bundle], names: list[str]) -> list[Bundle]:
    known = {bundle.name: bundle for bundle in bundles}
    for name in names:
        if name not in known:
            raise CommandError(f"--bundle {name}: there is no such bundle{near(name, list(known))}", EXIT_USAGE)
    return [bundle for bundle in bundles if not names or bundle.name in names]


def _print(line: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(loglines.render(line) + "\n")
        sys.stdout.flush()


def _discard(_: bytes) -> None:
    """Does nothing: the file's log has the line."""
