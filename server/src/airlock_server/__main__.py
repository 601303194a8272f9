"""
The ``airlock`` command.

A command's module is imported only for that command or its help. Otherwise every call would pay for importing the
database and the server.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

from airlock_server import cli

EXIT_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0 if it was done, 1 if it failed, 2 for wrong usage."""
    _fill_standard_descriptors()
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="airlock",
        description="Runs Airflow-style tasks so that user code never reaches a platform credential.",
        epilog="Settings: $AIRLOCK_HOME/airlock.toml and AIRLOCK__SECTION__KEY. AIRLOCK_HOME is ~/.airlock by default.",
    )
    cli.register(parser, words)
    args = parser.parse_args(words)
    from airlock_server.home import HomeError
    from airlock_wire.process.settings import SettingsError

    try:
        code: int = args.run(args, os.environ)
    except (HomeError, SettingsError) as e:
        _complain(e)
        return 2
    except cli.CommandError as e:
        _complain(e)
        return e.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output closed it; the interpreter must not complain about the rest at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return code


def _complain(error: Exception) -> None:
    """Says on standard error what is wrong. If that is closed, the exit code still tells."""
    with contextlib.suppress(OSError):
        print(f"airlock: {error}", file=sys.stderr, flush=True)  # noqa: T201 - a command speaks


def _fill_standard_descriptors() -> None:
    """
    Opens the null device for each closed standard stream. Else the next file that is opened, for example the database,
    would get the stream's number and what is printed.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # The lowest number that is free, so this one.
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


if __name__ == "__main__":
    sys.exit(main())
