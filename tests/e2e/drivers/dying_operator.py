"""
The operator, which dies by SIGKILL just before or just after its Nth write to the API server.

    dying_operator.py N before|after      N 0 never dies

Leases and events do not count: they are no step of a plan.
"""

import itertools
import os
import signal
import sys

from airlock_operator.cluster import Cluster
from airlock_operator.process import main


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def arm(number, when):
    ask, writes = Cluster._ask, itertools.count(1)

    async def counted(self, method, path, body=None):
        mine = method != "GET" and "/leases" not in path and "/events" not in path
        last = mine and next(writes) == number
        if last and when == "before":
            die()
        answer = await ask(self, method, path, body)
        if last:
            die()
        return answer

    Cluster._ask = counted


if __name__ == "__main__":
    arm(int(sys.argv[1]), sys.argv[2])
    sys.exit(main(sys.argv[:1]))
