"""A shipper between a file that grows and a store whose answers a test decides: faults that no server makes on demand."""

import threading
import time

import pytest

from airlock_sidecar.logs.shipping.errors import StoreAway, StoreChanged
from airlock_sidecar.logs.shipping.shipper import Shipper
from airlock_sidecar.settings import Logs

PATH = "d/attempt=1.log"


class Memory:
    """A store in memory, as strict about versions as the real ones. ``fate`` sees each write before it is made."""

    def __init__(self):
        self.objects = {}
        self.writes = []
        self.fate = lambda key, body: "fine"

    def names(self, folder):
        return {key: len(body) for key, (body, _) in self.objects.items()}

    def read(self, key):
        return self.objects.get(key, (b"", None))

    def write(self, key, body, over):
        fate = self.fate(key, body)
        self.writes.append((key, len(body), fate))
        if fate == "lost on the way":
            raise StoreAway(fate)
        if self.objects.get(key, (b"", None))[1] != over:
            raise StoreChanged("another version")
        self.objects[key] = (body, object())
        if fate == "answer lost":
            raise StoreAway(fate)
        return self.objects[key][1]

    @property
    def content(self):
        return b"".join(self.objects[key][0] for key in sorted(self.objects))


@pytest.fixture
def store():
    return Memory()


@pytest.fixture
def said():
    return []


@pytest.fixture
def ship(tmp_path, store, said):
    """Starts a shipper over the file ``log``; a second one is what a restarted sidecar would start."""

    def start(**settings):
        settings = Logs(**{"chunk_seconds": 0.02, "final_seconds": 10} | settings)
        shipper = Shipper(
            tmp_path / "log", PATH, settings, lambda: store, lambda event, level="info": said.append(event)
        )
        shipper.start()
        return shipper

    (tmp_path / "log").touch()
    return start


@pytest.fixture
def write(tmp_path):
    def append(data, shipper=None):
        with (tmp_path / "log").open("ab") as file:
            file.write(data)
        if shipper is not None:
            shipper.wrote()

    return append


def until(condition, seconds=10):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.parametrize("fate", ["answer lost", "lost on the way"])
def test_a_write_that_was_not_answered_is_neither_lost_nor_made_twice(fate, ship, write, store):
    store.fate = lambda key, body: fate if len(store.writes) < 3 else "fine"
    shipper = ship()
    for n in range(5):
        write(b"line %d\n" % n, shipper)
        time.sleep(0.1)

    assert 0 == shipper.finish(hurried=False)
    assert b"".join(b"line %d\n" % n for n in range(5)) == store.content


@pytest.mark.parametrize("fate", ["answer lost", "lost on the way"])
def test_a_restarted_sidecar_finds_out_what_became_of_the_write_before(fate, ship, write, store):
    store.fate = lambda key, body: fate
    write(b"line 0\n")
    ship(final_seconds=0).wrote()
    until(lambda: store.writes)
    store.fate = lambda key, body: "fine" if threading.current_thread() is second else fate
    write(b"line 1\n")
    shipper = ship()
    second = next(t for t in reversed(threading.enumerate()) if t.name == "shipper")

    assert 0 == shipper.finish(hurried=False)
    assert b"line 0\nline 1\n" == store.content


def test_another_writer_between_a_lost_answer_and_the_next_try_changes_nothing(ship, write, store):
    def meddle(key, body):
        if len(store.writes) == 0:
            return "answer lost"
        if len(store.writes) == 1:
            old, _ = store.objects[key]
            store.objects[key] = (old + b"theirs\n", object())
        return "fine"

    store.fate = meddle
    shipper = ship()
    write(b"line 0\n", shipper)
    until(lambda: store.objects)
    write(b"line 1\n", shipper)

    assert 0 == shipper.finish(hurried=False)
    assert [b"line 0", b"line 1", b"theirs"] == sorted(store.content.splitlines())


def test_half_a_line_waits_for_its_end(ship, write, store):
    shipper = ship()
    write(b"whole\nha", shipper)
    until(lambda: store.objects)
    assert b"whole\n" == store.content
    write(b"lf\n", shipper)

    assert 0 == shipper.finish(hurried=False)
    assert b"whole\nhalf\n" == store.content


def test_no_write_is_larger_than_a_segment_and_each_byte_is_written_a_bounded_number_of_times(ship, write, store):
    shipper = ship(segment_mib=1, local_mib=4, chunk_seconds=60)
    line = b"x" * 1023 + b"\n"
    for _ in range(100):
        write(line * 100, shipper)

    assert 0 == shipper.finish(hurried=False)
    assert 10_240_000 == len(store.content)
    assert 1024 * 1024 >= max(size for _, size, _ in store.writes)
    assert 2 * 10_240_000 > sum(size for _, size, _ in store.writes)


def test_a_store_whose_objects_change_all_the_time_is_not_asked_in_a_circle(ship, write, store, said):
    def meddle(key, body):
        store.objects[key] = (b"theirs\n", object())
        return "fine"

    store.fate = meddle
    shipper = ship()
    write(b"line\n", shipper)
    until(lambda: said)

    assert 12 > len(store.writes)
    assert "changes all the time" in said[0]


def test_a_log_far_ahead_of_a_store_that_is_away_waits_only_while_the_runner_goes_on(ship, write, store):
    shipper = ship(segment_mib=1, local_mib=4)
    write(b"first\n", shipper)
    until(lambda: store.objects)
    store.fate = lambda key, body: "lost on the way"
    write((b"x" * 1023 + b"\n") * 5000, shipper)
    going = threading.Event()
    waiter = threading.Thread(target=shipper.wait_for_room, args=(lambda: not going.is_set(),))
    waiter.start()
    waiter.join(0.5)
    assert waiter.is_alive()
    going.set()
    waiter.join(3)

    assert not waiter.is_alive()


def test_an_object_that_another_program_left_there_is_appended_to(ship, write, store):
    store.objects[PATH] = (b"not ours, without an end", object())
    shipper = ship()
    write(b"ours\n", shipper)

    assert 0 == shipper.finish(hurried=False)
    assert b"not ours, without an end\nours\n" == store.content
