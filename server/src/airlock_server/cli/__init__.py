"""
The commands of ``airlock``, one module each.

A module has ``register(subparsers)``, which adds its parser and sets ``run`` on it. ``run`` takes the parsed arguments
and the environment, and returns an exit code.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

#: Command, module, and the line that ``airlock --help`` shows.
COMMANDS = (
    ("dags", "local.dags", "run whole DAGs on this machine, and check DAG files"),
    ("tasks", "local.tasks", "run tasks on this machine, and look at them"),
    ("dag-processor", "services.dag_processor", "parse the DAG files of the bundles, and store their DAGs"),
    ("api-server", "services.api_server", "serve the Execution API"),
    ("variables", "variables", "set, get, list and delete variables"),
    ("connections", "connections", "set, get, list and delete connections"),
    ("grants", "grants", "say which namespace's tasks may read what"),
    ("keys", "keys", "make and rotate keys"),
    ("config", "config", "show the settings, and write a file of them"),
    ("db", "db", "back up and restore the database"),
    ("frames", "frames", "read captured frames"),
)


class CommandError(Exception):
    """The command cannot go on. The text says why and what to do; ``code`` is 1, or 2 for wrong usage."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def say(line: str) -> None:
    """Prints a line of the command's output."""
    sys.stdout.write(line + "\n")


def register(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Adds the commands: the one that the ``arguments`` name from its module, the others as a line of help."""
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    command_word = next((word for word in arguments if not word.startswith("-")), None)
    for command, module, line in COMMANDS:
        if command == command_word:
            importlib.import_module(f"airlock_server.cli.{module}").register(subparsers)
        else:
            subparsers.add_parser(command, help=line)
