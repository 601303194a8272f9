"""What the cache is keyed by, and that a half-made folder is never taken for whole."""

import threading
import time

import pytest

from cluster import places
from cluster.programs import kept


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return places.cache()


def test_the_order_of_files_does_not_change_the_key():
    a, b = ("a", b"1"), ("b", b"2")

    assert kept.content_key([a, b]) == kept.content_key([b, a])


@pytest.mark.parametrize(
    "other",
    [
        kept.content_key([("a", b"2")], "word"),
        kept.content_key([("b", b"1")], "word"),
        kept.content_key([("a", b"1")], "other"),
        kept.content_key([("a", b"1")]),
        kept.content_key([("a", b"1"), ("c", b"")], "word"),
        kept.content_key([("a1", b"")], "word"),
    ],
)
def test_any_change_changes_the_key(other):
    assert other != kept.content_key([("a", b"1")], "word")


def test_a_folder_is_made_once():
    made = []

    def make(folder):
        made.append(folder)
        (folder / "program").write_text("x")

    first, second = kept.kept("thing", "0" * 16, make), kept.kept("thing", "0" * 16, make)

    assert first == second
    assert "x" == (first / "program").read_text()
    assert 1 == len(made)


def test_two_that_want_the_same_at_once_make_it_once():
    made = []

    def make(folder):
        made.append(folder)
        time.sleep(0.05)

    threads = [threading.Thread(target=kept.kept, args=("thing", "0" * 16, make)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert 1 == len(made)


def test_a_build_that_fails_leaves_nothing_that_looks_whole(cache):
    def make(folder):
        (folder / "half").write_text("x")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        kept.kept("thing", "0" * 16, make)

    assert [".thing.lock"] == [path.name for path in cache.iterdir()]


def test_the_folders_used_last_stay():
    folders = [(f"image-{number:016x}", float(number)) for number in range(kept.GENERATIONS + 2)]
    others = [("image-other-0000000000000000", 0.0), ("image-logs", 0.0), (".image-0000000000000000", 0.0)]

    assert {"image-0000000000000000", "image-0000000000000001"} == set(kept.outlived("image", folders + others))
