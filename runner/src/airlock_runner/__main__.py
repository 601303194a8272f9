"""The launcher's command, with our runner as its child."""

import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from airlock_runner import launcher
from airlock_runner.link import receive_frames
from airlock_wire.process.imports import without


def become_runner(log: int, handoff: int, bundle_root: str) -> NoReturn:
    """Runs our runner in the process that a launcher forked."""
    # Imported in the child only: the launcher itself stays within the standard library.
    with without("typing_extensions"):
        from airlock_runner import child

    child.run(receive_frames(handoff), log, handoff, bundle_root)


def speaks(environ: Mapping[str, str]) -> dict[str, Any]:
    """Returns how our runner speaks, for its hello, from the launch's environment."""
    # By the variables' names: the function of the SDK is not the launcher's to import.
    has_backend = any(environ.get(f"{product}__CORE__XCOM_BACKEND") for product in ("AIRLOCK", "AIRFLOW"))
    return {"json_values": True} | ({"clears_xcoms": True} if has_backend else {})


if __name__ == "__main__":
    code = launcher.main(sys.argv, become_runner, speaks=speaks(os.environ))
    sys.stdout.flush()
    # The launch is over and reported: Python's own shutdown would only keep the pod, or the next task, waiting.
    os._exit(code)
