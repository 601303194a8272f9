"""
The launcher's command with Airflow's runner as its child. In a foreign image Python runs the launcher's folder.

    python /airlock/opt/launcher --socket-dir FOLDER [--bundle-root FOLDER] [--grace-seconds SECONDS]
    python /airlock/opt/launcher bundle [--deadline-seconds N] NAME VERSION TARGET    fetches a bundle

Up to the check of Python's version the syntax is old enough for any Python 3 that an image may have.
"""

import os
import sys

_OLDEST = (3, 9)
_USAGE_EXIT = 80


def main() -> int:
    """Returns the exit code."""
    if sys.version_info < _OLDEST:
        text = "airlock-launcher: {} is Python {}.{}; Airflow 3.3 needs 3.10 or newer: use an image that has both\n"
        sys.stderr.write(text.format(sys.executable, *sys.version_info[:2]))
        return _USAGE_EXIT
    if sys.argv[1:2] == ["bundle"]:
        from airlock_runner.airflow import bundle  # imported where it is used: most starts do not

        return bundle.main(sys.argv[2:])
    from airlock_runner import launcher
    from airlock_runner.airflow import child, environment

    allowed = environment.allowed(os.environ)
    if allowed != dict(os.environ) and sys.version_info >= (3, 10):
        text = environment.lookups_left_out(os.environ)
        if text:
            sys.stderr.write("airlock-launcher: " + text + "\n")
            sys.stderr.flush()
        # The process starts anew: a deleted variable could still be read in its first memory, by its child too.
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], allowed)  # noqa: S606 - itself
    return launcher.main(
        sys.argv,
        child.run,
        program=f"python {sys.argv[0]}",
        required=("--socket-dir",),
        reconnects=False,
        speaks=environment.speaks(),
    )


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The launch is over and reported: Python's own shutdown would only keep the pod waiting.
    os._exit(code)
