"""
Runs in our environment: our runner on the descriptors that Airflow's supervisor gives to its child, keeping every frame
as a sidecar's capture would.
"""

import os
import socket
import sys
import tempfile

from airlock_runner import channel, child


class Capturing(channel.Channel):
    """The same, and both directions' bytes in a file."""

    def _exchange(self, wanted, data):
        capture.write(data)
        return super()._exchange(wanted, data)

    def _read(self):
        response, size = super()._read()
        capture.write(self._received[0][:size])
        return response, size


folder = tempfile.mkdtemp(prefix="behind-", dir=os.environ["PEER_FOLDER"])
capture = open(os.path.join(folder, "frames"), "wb", buffering=0)
child.Channel = Capturing
frames = os.dup(0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
# Airflow's supervisor never comes back with another connection.
handoff, other = socket.socketpair()
other.close()
child.run(frames, int(sys.argv[1]), handoff.detach(), os.environ["PEER_OUR_DAGS"])
