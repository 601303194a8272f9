"""A warm parent forks what it is asked to, and what it forked is a process of whoever asked."""

import contextlib
import os
import signal
import sys
import time

import pytest

from airlock_server.launching.local.forks import WarmParent
from airlock_wire.process import forking, kernel

PROGRAM = """
import os, sys, time
from airlock_wire.process import forking

def main(arguments):
    what, *rest = arguments
    if what == "write":
        os.write(int(rest[0]), os.environ.get("WORD", "").encode() + str(sorted(os.environ)).encode())
    elif what == "eat":
        try:
            bytearray(512 * 1024 * 1024)
        except MemoryError:
            return 7
    elif what == "sleep":
        time.sleep(600)
    elif what == "parent":
        return os.getppid() != int(rest[0])
    elif what == "session":
        return os.getsid(0) != os.getpid()
    return 0

forking.prepare(int(sys.argv[2]))
forking.serve(int(sys.argv[1]), main)
"""


@pytest.fixture
def parent():
    kernel.take_orphans()
    # Hidden it could not be looked at by this test's user.
    parent = WarmParent([sys.executable, "-c", PROGRAM], {"PATH": os.environ["PATH"], "WORD": "own"})
    yield parent
    parent.close()


def wait_until(fact):
    ends = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_a_child_is_of_the_process_that_asked_and_ends_with_its_code(parent):
    assert 0 == parent.fork(forking.request(["parent", str(os.getpid())])).wait()
    assert 0 == parent.fork(forking.request(["session"])).wait()


def test_a_child_has_its_descriptors_under_the_numbers_that_were_asked_for_and_its_environment(parent):
    reading, writing = os.pipe()
    request = forking.request(["write", "9"], environ={"WORD": "given"}, targets=[9])
    child = parent.fork(request, [writing])
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert b"given['WORD']" == pipe.read()
    assert 0 == child.wait()


def test_the_next_child_has_what_the_parent_has_and_not_what_the_last_was_given(parent):
    assert 0 == parent.fork(forking.request(["sleepless"], environ={"WORD": "given"})).wait()
    reading, writing = os.pipe()
    parent.fork(forking.request(["write", "9"], targets=[9]), [writing]).wait()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read().startswith(b"own[")


def test_a_child_has_no_more_memory_than_it_may(parent):
    assert 7 == parent.fork(forking.request(["eat"], memory_bytes=256 * 1024 * 1024)).wait()
    assert 0 == parent.fork(forking.request(["eat"])).wait()


def test_a_child_is_signalled_and_reaped(parent):
    child = parent.fork(forking.request(["sleep"]))
    assert None is child.poll()
    child.send_signal(signal.SIGTERM)
    assert -signal.SIGTERM == child.wait()
    child.kill()  # It is over, and its number may be another's.
    assert -signal.SIGTERM == child.returncode


def test_a_parent_that_was_killed_or_suspended_is_not_alive_and_refuses(parent):
    assert parent.alive
    parent._process.send_signal(signal.SIGSTOP)
    wait_until(lambda: not parent.alive)
    parent._process.kill()
    parent._process.wait()

    assert not parent.alive
    with pytest.raises(OSError):
        parent.fork(forking.request(["session"]))


def test_a_parent_that_does_not_answer_in_time_is_ended(parent):
    assert 0 == parent.fork(forking.request(["session"])).wait()
    parent._socket.settimeout(0.2)
    parent._process.send_signal(signal.SIGSTOP)

    with pytest.raises(TimeoutError):
        parent.fork(forking.request(["session"]))

    assert -signal.SIGKILL == parent._process.wait(30)


def test_a_parent_ends_when_nobody_can_ask_it_any_more(parent):
    assert 0 == parent.fork(forking.request(["session"])).wait()
    parent._socket.close()

    assert 0 == parent._process.wait(30)
    with contextlib.suppress(OSError):
        parent._socket.close()
