"""Who has a place on the cluster beside whom: sessions of tests share it, and some tests need all of it."""

import threading
from contextlib import contextmanager

import pytest
from kube.place import Place

SOON = 5.0
NOT_YET = 0.3


class Session(threading.Thread):
    """Takes a place, has it until it is told to leave."""

    def __init__(self, folder, *, alone=False):
        super().__init__(daemon=True)
        self._place, self._alone = Place(folder), alone
        self._has, self._may_leave = threading.Event(), threading.Event()

    def run(self):
        with self._place.taken(alone=self._alone):
            self._has.set()
            self._may_leave.wait(SOON)

    def has_it(self, seconds=SOON):
        return self._has.wait(seconds)

    def leaves(self):
        self._may_leave.set()


@pytest.fixture
def session(tmp_path):
    begun = []

    @contextmanager
    def begin(**how):
        one = Session(tmp_path, **how)
        begun.append(one)
        one.start()
        yield one
        one.leaves()

    yield begin
    for one in begun:
        one.join(SOON)
    assert not any(one.is_alive() for one in begun)


def test_two_sessions_are_beside_each_other(session):
    with session() as one, session() as other:
        assert one.has_it()
        assert other.has_it()


def test_who_would_be_alone_waits_for_the_others_and_later_ones_wait_behind(session):
    with session() as first:
        assert first.has_it()
        with session(alone=True) as alone:
            assert not alone.has_it(NOT_YET)
            with session() as later:
                assert not later.has_it(NOT_YET)
                first.leaves()
                assert alone.has_it()
                assert not later.has_it(NOT_YET)
                alone.leaves()
                assert later.has_it()


def test_a_part_of_a_place_may_be_alone(session, tmp_path):
    place = Place(tmp_path)
    with place.taken(alone=False):
        with place.alone(), session() as other:
            assert not other.has_it(NOT_YET)
        with session() as other:
            assert other.has_it()


def test_who_is_alone_stays_so_after_a_part_of_it(session, tmp_path):
    place = Place(tmp_path)
    with place.taken(alone=True):
        with place.alone():
            pass
        with session() as other:
            assert not other.has_it(NOT_YET)


def test_two_that_have_a_place_and_would_be_alone_do_not_wait_for_each_other(session, tmp_path):
    place = Place(tmp_path)
    with place.taken(alone=False), session(alone=True) as other:
        assert not other.has_it(NOT_YET)
        threading.Timer(NOT_YET, other.leaves).start()
        with place.alone():
            assert other.has_it(0)
