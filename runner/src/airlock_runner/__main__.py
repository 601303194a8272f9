"""The launcher's command, with our runner as its child."""

import os
import sys
from typing import NoReturn

from airlock_runner import launcher
from airlock_runner.link import receive_frames
from airlock_wire.process.imports import without


def become_runner(log: int, handoff: int, bundle_root: str) -> NoReturn:
    """Runs our runner in the process that a launcher forked."""
    # Imported in the child only: the launcher itself stays within the standard library.
    with without("typing_extensions"):
        from airlock_runner import child

    child.run(receive_frames(handoff), log, handoff, bundle_root)


if __name__ == "__main__":
    code = launcher.main(sys.argv, become_runner, speaks={"json_values": True})
    sys.stdout.flush()
    # The launch is over and reported: Python's own shutdown would only keep the pod, or the next task, waiting.
    os._exit(code)
