"""Who may begin where an administrator limits how many are under way: fair between namespaces, then by priority."""

import random

import pytest

from airlock_operator.decide.slots import Limits, Slots
from airlock_operator.observe.sightings import Key


def slots(listed=(), **limits):
    made = Slots(Limits(**limits))
    made.expect(set(listed))
    return made


def key(name, namespace="a"):
    return Key(namespace, name)


def test_without_a_limit_everybody_begins():
    free = slots()

    assert [""] * 1000 == [free.ask(key(str(n)), 0, "t") for n in range(1000)]


@pytest.mark.parametrize("limits", [{"everywhere": 2}, {"namespace": 2}, {"named": {"a": 2}}])
def test_a_limit_holds_and_says_who_waits_for_what(limits):
    few = slots(**limits)
    answers = [few.ask(key(str(n)), 0, f"t{n}") for n in range(4)]

    assert ["", ""] == answers[:2]
    assert "2 of 2 TaskRuns are under way" in answers[2]
    assert "number 2 in line" in answers[3]


def test_a_namespace_with_a_limit_of_its_own_does_not_have_the_others():
    few = slots(namespace=1, named={"b": 3})

    assert ["", ""] == [few.ask(key("1", "b"), 0, "t"), few.ask(key("2", "b"), 0, "t")]
    assert "" == few.ask(key("1"), 0, "t")
    assert few.ask(key("2"), 0, "t") != ""


def test_who_ends_makes_way_for_the_next_in_line():
    few = slots(everywhere=1)
    few.ask(key("1"), 0, "t1")
    few.ask(key("2"), 0, "t2")
    few.ask(key("3"), 0, "t3")

    assert [key("2")] == few.note(key("1"), holds=False)
    assert "" == few.ask(key("2"), 0, "t2")
    assert "" != few.ask(key("3"), 0, "t3")
    assert [key("3")] == few.forget(key("2"))


def test_a_slot_is_asked_for_in_vain_by_one_who_is_not_next():
    few = slots(everywhere=1)
    few.ask(key("1"), 0, "t1")
    few.ask(key("2"), 0, "t2")
    few.note(key("1"), holds=False)

    assert "" != few.ask(key("3"), 0, "t3")
    assert "" == few.ask(key("2"), 0, "t2")


def test_priority_comes_before_age_within_a_namespace():
    few = slots(namespace=1)
    few.ask(key("first"), 0, "t0")
    for name, priority, created in (("old", 0, "t1"), ("urgent", 5, "t3"), ("low", -1, "t0"), ("new", 0, "t2")):
        few.ask(key(name), priority, created)
    order = []
    last = key("first")
    while few._line:
        [last] = few.note(last, holds=False)
        few.ask(last, 0, "")
        order.append(last.name)

    assert ["urgent", "old", "new", "low"] == order


def test_a_crowd_of_one_namespace_does_not_keep_another_waiting():
    few = slots(everywhere=4)
    for n in range(100):
        few.ask(key(str(n), "crowd"), 9, f"t{n:03}")
    few.ask(key("1", "small"), 0, "t999")

    assert [key("1", "small")] == few.note(key("0", "crowd"), holds=False)


def test_nobody_begins_before_everything_that_was_listed_was_looked_at():
    listed = [key("runs"), key("waits")]
    few = Slots(Limits(everywhere=1))
    before = few.ask(key("waits"), 0, "t")
    few.expect(set(listed))
    few.note(key("runs"), holds=True)

    assert "looks first at what is under way" in before
    assert "looks first" in few.ask(key("waits"), 0, "t")
    few.note(key("waits"), holds=False)
    assert "1 of 1" in few.ask(key("waits"), 0, "t")


def test_the_last_look_lets_those_in_line_begin():
    few = slots([key("1"), key("2")], everywhere=2)
    few.ask(key("1"), 0, "t1")
    few.ask(key("2"), 0, "t2")
    few.note(key("1"), holds=False, waits=True)

    assert [key("1"), key("2")] == few.note(key("2"), holds=False, waits=True)


def test_no_history_breaks_a_limit_or_leaves_a_slot_empty():
    """Whoever asks, begins, ends and vanishes in whatever order: the limits hold, and a free slot has a taker."""
    dice = random.Random(1)
    for _ in range(50):
        limits = Limits(everywhere=dice.choice([0, 3, 7]), namespace=dice.choice([0, 2, 5]), named={"c": 1})
        few, waiting, running = Slots(limits), set(), set()
        few.expect(set())
        for step in range(400):
            if dice.random() < 0.5:
                waiting.add(Key(dice.choice("abc"), str(step)))
            elif running:
                one = dice.choice(sorted(running))
                running.discard(one)
                few.forget(one)
            for one in sorted(waiting):
                if few.ask(one, int(one.name) % 3, one.name.zfill(4)) == "":
                    waiting.discard(one)
                    running.add(one)
            counts = {name: sum(each.namespace == name for each in running) for name in "abc"}
            assert not limits.everywhere or len(running) <= limits.everywhere
            assert all(not limits.of(name) or counts[name] <= limits.of(name) for name in "abc")
            full = limits.everywhere and len(running) == limits.everywhere
            most = {name: limits.of(name) or 1000 for name in "abc"}
            idle = [one for one in waiting if counts[one.namespace] < most[one.namespace]]
            assert full or not idle
