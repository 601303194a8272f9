"""Runs in our environment: our runner on the descriptors that Airflow's supervisor gives to its child."""

import os
import socket
import sys

from airlock_runner import child

frames = os.dup(0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
# Airflow's supervisor never comes back with another connection.
handoff, other = socket.socketpair()
other.close()
child.run(frames, int(sys.argv[1]), handoff.detach(), os.environ["PEER_OUR_DAGS"])
