"""
The operator, which dies by SIGKILL just before or just after its Nth write to the API server, and says which one.

    dying_operator.py N before|after FILE

The file gets a line for the write, its method and its resource. Leases and events do not count: they are not steps of
a plan.
"""

import itertools
import os
import signal
import sys
from pathlib import Path

from airlock_operator.kube.api import Cluster
from airlock_operator.process import main


def die(step, file):
    with Path(file).open("a") as steps:
        steps.write(f"{step}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def arm(number, when, file):
    ask, writes = Cluster._ask, itertools.count(1)

    async def counted(self, method, path, body=None):
        mine = method != "GET" and "/leases" not in path and "/events" not in path
        last = mine and next(writes) == number
        step = f"{method} {path.partition('?')[0].rpartition('/')[2]}"
        if last and when == "before":
            die(step, file)
        answer = await ask(self, method, path, body)
        if last:
            die(step, file)
        return answer

    Cluster._ask = counted


if __name__ == "__main__":
    arm(int(sys.argv[1]), *sys.argv[2:])
    sys.exit(main(sys.argv[:1]))
