"""The sidecar's own log file: opened without following links, bounded where nobody reads it, and no end of a task."""

import os

import pytest
from doubles.disk import small_disk

from airlock_sidecar.logs.store import LogStore

PATH = "dag_id=d/run_id=r/task_id=t/attempt=1.log"


@pytest.fixture
def quiet(monkeypatch):
    """Its lines go to no stdout."""
    read, write = os.pipe()
    os.close(read)
    monkeypatch.setattr("airlock_sidecar.logs.store._write_all", lambda fd, data: None)
    os.close(write)


@pytest.mark.parametrize("place", ["", "dag_id=d", "dag_id=d/run_id=r", "dag_id=d/run_id=r/task_id=t"])
def test_no_folder_on_the_way_may_be_a_link(tmp_path, place):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    logs = tmp_path / "logs"
    if place:
        (logs / place).parent.mkdir(parents=True)
        (logs / place).symlink_to(elsewhere)
        with pytest.raises(OSError):
            LogStore(str(logs), PATH)
    else:
        # The log folder itself is named by whoever set this up.
        logs.symlink_to(elsewhere)
        LogStore(str(logs), PATH)

    assert (place == "") == any(elsewhere.iterdir())


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "folder"])
def test_the_file_is_one_of_its_own(tmp_path, kind):
    target, file = tmp_path / "target", tmp_path / "logs" / PATH
    target.write_text("mine")
    file.parent.mkdir(parents=True)
    {
        "link": lambda: file.symlink_to(target),
        "hard link": lambda: os.link(target, file),
        "pipe": lambda: os.mkfifo(file),
        "folder": file.mkdir,
    }[kind]()

    with pytest.raises(OSError):
        LogStore(str(tmp_path / "logs"), PATH)
    assert "mine" == target.read_text()


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "a//x", "a/./x", "", "a/", "a\0b"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path, path):
    with pytest.raises(OSError, match="must be relative"):
        LogStore(str(tmp_path / "logs"), path)


def test_a_log_that_nobody_reads_takes_no_more_of_the_disk_than_it_may(tmp_path, quiet):
    store = LogStore(str(tmp_path), PATH, keep_bytes=1024 * 1024)
    for _ in range(400):
        store.append(b"x" * 65535 + b"\n")

    # 512 bytes a block.
    assert store.file.stat().st_blocks * 512 <= 1024 * 1024 + 2 * 65536
    assert 0 == store.finish(hurried=False)


def test_a_log_is_kept_whole_where_no_bound_is_set(tmp_path, quiet):
    store = LogStore(str(tmp_path), PATH)
    for _ in range(100):
        store.append(b"x" * 65535 + b"\n")

    assert 100 * 65536 == store.file.stat().st_size == len(store.file.read_bytes().replace(b"\0", b""))


def test_a_full_disk_loses_lines_says_so_and_ends_nothing(tmp_path, quiet):
    with small_disk(tmp_path / "disk", "256k") as disk:
        store = LogStore(str(disk), PATH)
        for _ in range(10):
            store.append(b"x" * 65535 + b"\n")
        missing = store.finish(hurried=False)
        (disk / "other").unlink(missing_ok=True)
        assert 5 * 65536 <= missing <= 8 * 65536
        os.truncate(store.file, 65536)
        store.append(b"after\n")
        assert "after" == store.file.read_text().splitlines()[-1]
