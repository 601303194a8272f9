"""What a log's address means, what goes into which object and when, and what is known of a write that was not answered."""

import msgspec
import pytest

from airlock_sidecar.logs.shipping import segments
from airlock_sidecar.logs.shipping.notes import Note
from airlock_wire import logplace
from airlock_wire.logplace import Place, place


@pytest.mark.parametrize(
    ("store", "means"),
    [
        ("s3://bucket", Place("s3", "bucket", "")),
        ("s3://my.bucket-1/a/b/", Place("s3", "my.bucket-1", "a/b")),
        ("gs://bucket_1/logs", Place("gs", "bucket_1", "logs")),
        ("az://container/logs", Place("az", "container", "logs")),
        ("abfss://container@account1.dfs.core.windows.net/logs", Place("az", "container", "logs", "account1")),
        ("abfs://c1@acc.blob.core.windows.net", Place("az", "c1", "", "acc")),
    ],
)
def test_an_address_names_a_place(store, means):
    assert means == place(store)


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("logs", "a folder (/path), s3://"),
        ("./logs", "a folder (/path), s3://"),
        ("s3:bucket", "it must be"),
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("s3://Bucket", "names no bucket"),
        ("s3://key:secret@bucket", "it must be"),
        ("s3://bucket/../x", "it must be"),
        ("s3://bucket/x?region=y", "it must be"),
        ("ftp://host/x", "ftp:// is not known"),
        ("wasb://logs", "az://container/prefix"),
        ("abfss://account.dfs.core.windows.net/x", "abfss://container@account"),
        ("s3://[", "it must be"),
    ],
)
def test_an_address_that_is_none_says_what_it_must_be(store, says):
    with pytest.raises(ValueError) as refused:
        place(store)

    assert says in str(refused.value)


def test_keys_sort_as_the_log_runs_and_begin_with_its_path():
    keys = [logplace.segment_key("t/attempt=1.log", number) for number in (0, 1, 2, 10, 99, 100, 99_999)]

    assert "t/attempt=1.log" == keys[0]
    assert keys == sorted(keys)
    assert all(key.startswith("t/attempt=1.log") for key in keys)
    assert 99_999 == logplace.last_segment("t/attempt=1.log", keys)


@pytest.mark.parametrize(
    ("names", "last"),
    [
        ([], None),
        (["a.log"], 0),
        (["a.log", "a.log.000001"], 1),
        # What a first segment was given up for may leave later ones alone.
        (["a.log.000003"], 3),
        # Other tries, triggers' logs and strangers' objects are not segments of this log.
        (["b.log", "aXlog", "a.log.trigger.7.log", "a.log.1", "a.log.0000001"], None),
    ],
)
def test_the_last_segment_is_found_among_what_a_folder_holds(names, last):
    assert last == logplace.last_segment("a.log", names)


@pytest.mark.parametrize(
    ("data", "room", "size"),
    [(b"", 10, 0), (b"one", 10, 0), (b"one\n", 10, 4), (b"one\ntw", 10, 4), (b"one\ntwo\n", 7, 4), (b"one\n", 3, 0),
     (b"one\n", 4, 4), (b"one\n", 0, 0), (b"one\n", -5, 0)],
)  # fmt: skip
def test_only_whole_lines_that_fit_are_taken(data, room, size):
    assert size == segments.whole_lines(data, room)


@pytest.mark.parametrize(
    ("unsent", "room", "waited", "due"),
    [(0, 100, 99.0, False), (1, 100, 9.9, False), (1, 100, 10.0, True), (100, 100, 0.0, True), (99, 100, 0.0, False)],
)
def test_a_chunk_is_due_when_its_first_line_waited_or_the_segment_is_full(unsent, room, waited, due):
    assert due is segments.due(unsent, room, waited, 10.0)


def test_waits_grow_to_a_bound_and_are_scattered():
    assert 0.25 <= segments.pause(1) <= 0.5
    assert 15 <= segments.pause(20) <= 30
    assert len({segments.pause(5) for _ in range(20)}) > 10


def tried():
    note = Note(sent=10)
    note.attempt(2, b"before and mine\n", 20)
    return msgspec.json.decode(msgspec.json.encode(note), type=Note)


@pytest.mark.parametrize(
    ("found", "arrived"),
    [
        (b"before and mine\n", True),
        (b"before and mine\nand theirs\n", True),
        (b"before ", False),
        (b"before and theirs\n", False),
        (b"", False),
    ],
)
def test_a_write_arrived_where_the_object_begins_with_it(found, arrived):
    assert arrived is tried().arrived(found)


def test_what_was_tried_counts_as_sent_once_it_is_settled():
    note = tried()
    note.settle()

    assert (20, 0) == (note.sent, note.trying)
