"""The launcher's command, with our runner as its child."""

import sys
from typing import NoReturn

from airlock_runner import launcher


def _child(frames: int, log: int, handoff: int, bundle_root: str) -> NoReturn:
    # Imported in the child only: the launcher itself stays within the standard library.
    from airlock_runner import child

    child.run(frames, log, handoff, bundle_root)


if __name__ == "__main__":
    sys.exit(launcher.main(sys.argv, _child))
