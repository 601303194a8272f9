"""Runs the command that prints a setting's value (``AIRLOCK__SECTION__KEY_CMD``)."""

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping

#: Seconds that a command has.
SECONDS = 30.0


class CommandFailed(Exception):
    """The command gave no value. The text never has what it printed."""


def output(command: str, environ: Mapping[str, str], seconds: float = SECONDS) -> str:
    """
    Returns what a command prints, without its last line break; raises CommandFailed.

    It runs without a shell. What it started itself is killed with it when its time is up.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        raise CommandFailed("the command has a quotation mark without its pair") from None
    if not words:
        raise CommandFailed("the command is empty")
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # It may say what it printed.
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as e:
        raise CommandFailed(f"the command cannot be started: {getattr(e, 'strerror', None) or 'a NUL in it'}") from None
    try:
        with process:
            try:
                printed, _ = process.communicate(timeout=seconds)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"the command took more than {seconds:g} s") from None
    if process.returncode != 0:
        raise CommandFailed(f"the command failed with exit code {process.returncode}")
    try:
        text = printed.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise CommandFailed("the command printed bytes that are not UTF-8") from None
    if not text:
        raise CommandFailed("the command printed nothing")
    return text
