"""
A warm parent of sidecars: it has imported what a sidecar of a parse needs, and forks one for each launch.

    python -I -m airlock_sidecar.warm SOCKET PARENT     a descriptor, and the process that started this one
"""

import signal
import sys

from airlock_wire.process import forking
from airlock_wire.process.imports import without

with without("typing_extensions"):
    from airlock_sidecar import process
    from airlock_sidecar.lifecycle import conversation


def main() -> int:
    """Forks sidecars until nobody asks any more; returns the exit code."""
    descriptor, asker = map(int, sys.argv[1:])
    forking.prepare(asker)
    # A sidecar may be told to end before it has said that it wants to hear of that.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    conversation.load()
    forking.serve(descriptor, _sidecar)
    return 0


def _sidecar(_: list[str]) -> int:
    sys.argv[1:] = []
    return process.main()


if __name__ == "__main__":
    sys.exit(main())
