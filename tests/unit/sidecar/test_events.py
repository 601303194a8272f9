"""The queue of the main thread: order, deadlines, and SIGTERM."""

import time

from airlock_sidecar.lifecycle.events import Accepted, DeadlinePassed, Events, Reported, StreamBroke, Terminated


def test_events_come_in_the_order_in_which_they_were_told():
    events = Events()
    events.tell(StreamBroke("a stream"))
    events.tell(Reported())

    assert [StreamBroke("a stream"), Reported()] == [events.next(), events.next()]


def test_a_deadline_that_passes_is_an_event():
    assert DeadlinePassed() == Events().next(time.monotonic() - 1)


def test_an_event_that_is_there_comes_before_a_deadline_that_has_passed():
    events = Events()
    events.tell(Accepted(None))

    assert Accepted(None) == events.next(time.monotonic() - 1)


def test_a_sigterm_among_events_that_do_not_matter_any_more_is_noted(monkeypatch):
    monkeypatch.setattr("airlock_sidecar.lifecycle.events.FLUSH_SECONDS", 0.0)
    events = Events()
    events.tell(Reported())
    events.tell(Terminated())

    events.drain()

    assert True is events.terminated
    assert True is events.flushed.wait(5)
