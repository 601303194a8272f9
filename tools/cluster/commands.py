"""Running other programs: every one has a deadline, and its failure says what it said."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class CommandError(RuntimeError):
    """A program failed or took too long; the text carries the command and the end of its output."""


def say(text: str) -> None:
    """Progress goes to stderr: stdout belongs to the one line that exports the cluster."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float = 60.0,
    check: bool = True,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """
    Runs a program to its end and captures what it says.

    ``timeout`` is in seconds; ``env`` is added to this process's. Raises CommandError for a failure (unless
    ``check`` is false) and for a passed timeout.
    """
    words = [str(word) for word in argv]
    try:
        result = subprocess.run(
            words,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            env={**os.environ, **env} if env else None,
            cwd=cwd,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(words)[:300]} took longer than {timeout:g} s") from error
    except FileNotFoundError as error:
        raise CommandError(f"{words[0]} is not there") from error
    if check and result.returncode != 0:
        output = (result.stderr.strip() or result.stdout.strip())[-3000:]
        raise CommandError(f"{' '.join(words)[:300]} exited {result.returncode}: {output}")
    return result


def run_slowly(
    argv: Sequence[str | Path],
    what: str,
    *,
    timeout: float,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """
    Runs a program that may take minutes, with a line of progress every 15 s; its output goes to ``log``.

    Raises CommandError as `run` does; ``env`` is added to this process's.
    """
    words = [str(word) for word in argv]
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    say(f"{what} ...")
    with log.open("ab") as out:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **(env or {})}, cwd=cwd
        )
        try:
            while True:
                try:
                    code = process.wait(15)
                    break
                except subprocess.TimeoutExpired:
                    spent = time.monotonic() - start
                    if spent > timeout:
                        raise CommandError(f"{what} took longer than {timeout:g} s; see {log}") from None
                    say(f"{what}: {spent:.0f} s")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code != 0:
        output = log.read_text(errors="replace")[-3000:]
        raise CommandError(f"{what}: {' '.join(words)[:200]} exited {code}: {output}")
    say(f"{what}: done in {time.monotonic() - start:.0f} s")
