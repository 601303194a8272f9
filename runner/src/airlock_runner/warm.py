"""
A warm parent of parses: it has imported the runner and the SDK, and forks a launcher for each file. It never runs user
code; its children do, as they would if they had been started anew.

    python -P -m airlock_runner.warm SOCKET PARENT     a descriptor, and the process that started this one
"""

import os
import sys

from airlock_runner import launcher
from airlock_runner.__main__ import become_runner, speaks
from airlock_wire.process import forking
from airlock_wire.process.imports import without


def main() -> int:
    """Forks launchers until nobody asks any more; returns the exit code."""
    descriptor, asker = map(int, sys.argv[1:])
    forking.prepare(asker)
    with without("typing_extensions"):
        _import_what_files_need()
    forking.serve(descriptor, _launch)
    return 0


def _launch(arguments: list[str]) -> int:
    return launcher.main(["", *arguments], become_runner, speaks=speaks(os.environ))


def _import_what_files_need() -> None:
    """Imports the parse mode, and of the SDK what most DAG files use."""
    from airlock.sdk import DAG, BaseOperator, Param, Variable, XComArg, chain, dag, task, task_group  # noqa: F401


if __name__ == "__main__":
    sys.exit(main())
