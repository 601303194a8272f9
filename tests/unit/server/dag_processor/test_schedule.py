"""Which file is parsed when: tables."""

import pytest

from airlock_server.dag_processor import schedule
from airlock_server.dag_processor.discovery.walk import Stamp
from airlock_server.dag_processor.schedule import FileKey, FileState, Policy

NOW = 1000.0


def state(mtime=1, **more):
    return FileState(stamp=Stamp(mtime, 10, 1), **more)


def parsed(mtime=1, finished_at=0.0, **more):
    return state(mtime, changed=False, finished_at=finished_at, **more)


def order(states, **policy):
    files = {FileKey("b", name): each for name, each in states.items()}
    return [key.file for key in schedule.due(files, NOW, Policy(min_interval=30.0, **policy))]


@pytest.mark.parametrize(
    ("case", "given", "expected"),
    [
        ("a new file", state(), True),
        ("a changed one, just parsed", parsed(finished_at=NOW, running=False), False),
        ("a changed file", state(finished_at=NOW), True),
        ("it changed while it is being parsed", state(running=True), False),
        ("the interval has passed", parsed(finished_at=NOW - 30), True),
        ("the interval has not passed", parsed(finished_at=NOW - 29), False),
        ("a failure, and its pause has passed", parsed(failures=1, not_before=NOW), True),
        ("a failure, and its pause has not passed", state(failures=1, not_before=NOW + 1), False),
    ],
)  # fmt: skip
def test_a_file_is_due(case, given, expected):
    assert (["a"] if expected else []) == order({"a": given})


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("modified_time", ["b", "c", "a"]), ("alphabetical", ["a", "b", "c"])],
)  # fmt: skip
def test_files_that_are_due_again_come_in_the_order_of_the_setting(mode, expected):
    assert expected == order({"a": parsed(1), "b": parsed(3), "c": parsed(2)}, mode=mode)


def test_a_random_order_is_the_same_on_one_host_and_another_elsewhere():
    files = {f"f{n}": parsed() for n in range(20)}
    one = order(files, mode="random_seeded_by_host", host="one")

    assert one == order(files, mode="random_seeded_by_host", host="one")
    assert one != order(files, mode="random_seeded_by_host", host="two")
    assert sorted(files) == sorted(one)


@pytest.mark.parametrize("mode", ["modified_time", "alphabetical", "random_seeded_by_host"])
def test_changed_files_come_first_the_newest_before_all(mode):
    files = {"a": parsed(9), "y": state(1, finished_at=NOW), "z": state(2)}

    assert ["z", "y", "a"] == order(files, mode=mode)


@pytest.mark.parametrize(
    ("states", "passes", "expected"),
    [
        ([], 0, None),
        ([state()], 0, 0.0),
        ([parsed(finished_at=100.0), parsed(finished_at=90.0)], 0, 120.0),
        ([parsed(finished_at=100.0), parsed(failures=2, not_before=110.0)], 0, 110.0),
        ([state(running=True)], 0, None),
        ([parsed(finished_at=100.0, passes=2)], 2, None),
        ([parsed(finished_at=100.0, passes=1)], 2, 130.0),
    ],
)  # fmt: skip
def test_the_next_moment_is_that_of_the_file_that_is_due_first(states, passes, expected):
    files = {FileKey("b", str(n)): each for n, each in enumerate(states)}

    assert expected == schedule.next_moment(files, Policy(min_interval=30.0, passes=passes))


def test_a_search_marks_changed_files_and_leaves_out_those_that_are_gone_of_its_bundle_alone():
    files = {
        FileKey("b", "same"): parsed(1),
        FileKey("b", "changed"): parsed(1, failures=3),
        FileKey("b", "gone"): parsed(1),
        FileKey("other", "gone"): parsed(1),
    }
    stamps = {"same": Stamp(1, 10, 1), "changed": Stamp(1, 11, 1), "new": Stamp(1, 10, 1)}

    after = schedule.listed(files, "b", stamps)

    assert {"same": False, "changed": True, "new": True} == {
        key.file: each.changed for key, each in after.items() if key.bundle == "b"
    }
    assert (0, True) == (after[FileKey("b", "changed")].failures, FileKey("other", "gone") in after)


def test_a_file_that_changes_while_it_is_parsed_is_due_at_once_when_it_ends():
    key = FileKey("b", "a")
    running = {key: schedule.began(state(1))}
    after = schedule.listed(running, "b", {"a": Stamp(2, 10, 1)})

    ended = schedule.finished(after[key], NOW)

    assert (True, 1) == (ended.changed, ended.passes)
    assert [key] == schedule.due({key: ended}, NOW, Policy(min_interval=30.0))


def test_a_failure_counts_and_its_end_is_forgotten():
    failed = schedule.failed(schedule.began(parsed(failures=1)), NOW, 5.0)
    assert (False, 2, NOW + 5.0, 0) == (failed.running, failed.failures, failed.not_before, failed.passes)

    assert 0 == schedule.finished(failed, NOW).failures
