"""XComs in an object store: which are kept there, under which name, and what is read back."""

import gzip
import itertools
import json

import pytest

from airlock.sdk.exceptions import AirlockException
from airlock.sdk.io import ObjectStoragePath
from airlock_runner.task.stores.xcom_store import XComStore, key_of, of_environment

PLACE = ("d", "r", "t", -1, "k")
_FOLDERS = (f"memory://xcoms/{number}" for number in itertools.count())


@pytest.fixture
def folder():
    return next(_FOLDERS)


@pytest.mark.parametrize(
    ("value", "kept"), [("x" * 7, False), ("x" * 8, True), ([1, 2, 3, 4], False), (list(range(9)), True)]
)
def test_a_value_of_the_threshold_and_more_is_kept_in_the_store(folder, value, kept):
    store = XComStore(folder, 10)
    stored = store.keep(value, PLACE)

    assert (f"{folder}/d/r/t/k.json" if kept else value) == stored
    assert value == store.read(stored)
    assert kept is ObjectStoragePath(f"{folder}/d/r/t/k.json").exists()


def test_a_value_is_compressed_where_the_administrator_says_so(folder):
    store = XComStore(folder, 0, "gzip")
    stored = store.keep({"a": "x" * 100}, PLACE)

    assert stored.endswith("/k.json.gz")
    assert {"a": "x" * 100} == json.loads(gzip.decompress(ObjectStoragePath(stored).read_bytes()))
    assert {"a": "x" * 100} == XComStore(folder, 0).read(stored)


@pytest.mark.parametrize(
    "value",
    [None, 1, "text", "memory://elsewhere/d/k.json", ["memory://xcoms/0/k.json"], "memory://xcoms/f/../secret.json"],
)
def test_what_is_not_a_path_in_the_store_is_the_value_itself(value):
    assert value == XComStore("memory://xcoms/f", 0).read(value)


def test_a_path_that_cannot_be_read_fails_with_its_name(folder):
    with pytest.raises(AirlockException, match=f"kept at {folder}/gone.json, which cannot be read: FileNotFoundError"):
        XComStore(folder, 0).read(f"{folder}/gone.json")


def test_a_store_that_cannot_be_written_fails_with_the_key(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AirlockException, match="the XCom 'k' cannot be kept at file://"):
        XComStore(f"file://{tmp_path}/file", 0).keep("x", PLACE)


ODD = ["a", "a/b", "a%2Fb", "..", "ä", "a.json", "x" * 250, "x" * 249 + "/"]


def test_two_xcoms_never_have_one_name():
    places = [
        (dag, run, task, index, key)
        for dag, run, task, key in itertools.product(ODD, repeat=4)
        for index in (-1, 0, 1)
    ]  # fmt: skip
    names = {key_of(place, ".json") for place in places}

    assert len(places) == len(names)
    assert 1024 >= max(map(len, names))
    assert [] == [name for name in names if ".." in name.split("/")[:-1]]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"AIRLOCK__XCOMS__STORE_THRESHOLD_BYTES": "1MB"}, "STORE_THRESHOLD_BYTES is '1MB'; it must be a whole number"),
        ({"AIRLOCK__XCOMS__STORE_COMPRESSION": "zip"}, "STORE_COMPRESSION is 'zip'; it may be 'gzip'"),
    ],
)
def test_wrong_variables_are_refused_by_their_names(environ, message):
    with pytest.raises(AirlockException, match=message):
        of_environment({"AIRLOCK__XCOMS__STORE": "memory://x"} | environ)


def test_without_a_store_there_is_none():
    assert None is of_environment({})
    assert None is of_environment({"AIRLOCK__XCOMS__STORE": ""})
