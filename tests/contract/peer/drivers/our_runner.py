"""
The coordinator of the queue ``ours``: Airflow's own supervisor starts our runner in the place of its own. A coordinator
is how Airflow lets a queue have another runner.
"""

import os
import sys
from pathlib import Path

from airflow.sdk.execution_time.coordinator import BaseCoordinator
from airflow.sdk.execution_time.supervisor import ActivitySubprocess


class OurRunner(BaseCoordinator):
    """As the coordinator for Python, but for what the child becomes."""

    def execute_task(self, **given):
        process = ActivitySubprocess.start(target=become_our_runner, **given)
        code = process.wait()
        return self.ExecutionResult(code, process.final_state)


def become_our_runner():
    """In the forked child, whose descriptors 0, 1 and 2 are the supervisor's sockets."""
    # The log channel is the forking function's own: a target that logs as Airflow does need not know of it.
    log = sys._getframe(1).f_locals["log_fd"]
    os.set_inheritable(log, True)
    script = Path(__file__).with_name("our_child.py")
    os.execv(os.environ["PEER_PYTHON"], [os.environ["PEER_PYTHON"], str(script), str(log)])
