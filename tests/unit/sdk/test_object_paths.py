"""Paths of object stores: what they are made of, and when their connection is asked for."""

import pickle
import sys

import pytest
from doubles.channel import played

from airlock.sdk import Connection
from airlock.sdk.exceptions import AirlockException, OutsideTask
from airlock.sdk.io import ObjectStoragePath, attach, get_fs, has_fs, register_fs
from airlock.sdk.io.credentials import options
from airlock_wire.protocol.messages import ConnectionResult

NOTHING = {"host": None, "schema": None, "login": None, "password": None, "port": None, "extra": None}


@pytest.mark.parametrize(
    ("scheme", "fields", "expected"),
    [
        ("s3", {"login": "k", "password": "s"}, {"key": "k", "secret": "s"}),
        (
            "s3a",
            {"extra": '{"aws_session_token": "t", "region_name": "eu", "endpoint_url": "http://x"}'},
            {"token": "t", "endpoint_url": "http://x", "client_kwargs": {"region_name": "eu"}},
        ),
        ("s3", {"login": "k", "extra": '{"storage_options": {"key": "other", "anon": true}}'}, {"key": "other", "anon": True}),
        ("gs", {"extra": '{"keyfile_dict": "{\\"type\\": \\"x\\"}", "project": "p"}'}, {"token": {"type": "x"}, "project": "p"}),
        ("gcs", {"extra": '{"extra__google_cloud_platform__key_path": "/k.json"}'}, {"token": "/k.json"}),
        (
            "abfs",
            {"login": "ignored", "host": "acc.blob.core.windows.net", "password": "p"},
            {"account_name": "acc", "account_key": "p"},
        ),
        (
            "az",
            {"login": "acc", "password": "p", "extra": '{"tenant_id": "t", "client_id": "c", "client_secret": "s"}'},
            {"account_name": "acc", "tenant_id": "t", "client_id": "c", "client_secret": "s"},
        ),
        (
            "sftp",
            {"host": "h", "port": 22, "login": "u", "password": "p"},
            {"host": "h", "port": 22, "username": "u", "password": "p"},
        ),
        ("memory", {"login": "u", "password": "p"}, {}),
    ],
)  # fmt: skip
def test_a_connection_becomes_the_options_of_its_schemes_file_system(scheme, fields, expected):
    assert expected == options(scheme, Connection(conn_id="c", conn_type="x", **fields))


@pytest.mark.parametrize(
    ("scheme", "extra", "field"),
    [("s3", '{"storage_options": 1}', "storage_options"), ("s3", '{"storage_options": "["}', "storage_options"),
     ("gs", '{"keyfile_dict": "no"}', "keyfile_dict")],
)  # fmt: skip
def test_extras_of_the_wrong_kind_are_refused_by_their_name(scheme, extra, field):
    with pytest.raises(AirlockException, match=f"'{field}' of connection 'c' is not a JSON object"):
        options(scheme, Connection(conn_id="c", conn_type="x", extra=extra))


@pytest.mark.parametrize(
    ("url", "conn_id", "bucket", "key", "text"),
    [
        ("memory://c@b/k/l", "c", "b", "k/l", "memory://c@b/k/l"),
        ("memory://b/k", None, "b", "k", "memory://b/k"),
        ("memory://b", None, "b", "", "memory://b"),
        ("/tmp/x@y", None, "", "tmp/x@y", "/tmp/x@y"),
        ("file:///tmp/x", None, "", "tmp/x", "file:///tmp/x"),
    ],
)
def test_a_path_has_the_parts_of_its_url(url, conn_id, bucket, key, text):
    path = ObjectStoragePath(url)

    assert (conn_id, bucket, bucket, key) == (path.conn_id, path.bucket, path.container, path.key)
    assert text == str(path)
    assert path == ObjectStoragePath(str(path))


def test_an_explicit_connection_comes_before_that_of_the_url():
    assert "d" == ObjectStoragePath("memory://c@b/k", conn_id="d").conn_id
    assert "c" == ObjectStoragePath(ObjectStoragePath("memory://c@b/k")).conn_id


def test_a_path_is_made_joined_and_shown_without_asking_for_its_connection():
    """It may be made while a DAG file is imported, when nothing is granted."""
    path = ObjectStoragePath("memory://unasked@b/folder") / "file.csv"

    assert ("unasked", "file.csv", "folder") == (path.conn_id, path.name, path.parent.name)
    assert "unasked" == path.with_suffix(".txt").conn_id
    with pytest.raises(OutsideTask):
        path.exists()


def test_a_connection_is_asked_for_once_and_its_secret_is_neither_shown_nor_pickled():
    opened = []
    register_fs(
        "memory",
        lambda conn_id, more: opened.append((conn_id, Connection.get(conn_id).password, more)) or get_fs("local"),
    )
    try:
        with played() as channel:
            channel.answer = ConnectionResult(conn_id="once", conn_type="x", **NOTHING | {"password": "the-secret"})
            path = ObjectStoragePath("memory://once@b/k", option=1)
            assert [False, False] == [path.exists(), (path / "x").exists()]
        assert [("once", "the-secret", {"option": 1})] == opened
        assert 1 == len(channel.asked)
        for shown in (str(path), repr(path), str(path.serialize()), str(path.storage_options)):
            assert "the-secret" not in shown
    finally:
        from airlock.sdk.io import filesystems

        del filesystems._factories["memory"]


def test_a_path_survives_serialization():
    path = ObjectStoragePath("memory://c@b/k", option=1)
    again = ObjectStoragePath.deserialize(path.serialize(), 1)

    assert (path, {"option": 1}) == (again, again.storage_options)
    with pytest.raises(ValueError, match="knows up to 1"):
        ObjectStoragePath.deserialize(path.serialize(), 2)


def test_a_path_without_a_connection_is_pickled():
    path = ObjectStoragePath("memory://b/k")

    assert path == pickle.loads(pickle.dumps(path))


def test_files_are_written_read_listed_and_removed():
    folder = ObjectStoragePath("memory://b/work")
    (folder / "a.txt").write_text("ä")
    with (folder / "b.bin").open("wb", compression="gzip") as file:
        file.write(b"content")

    assert ["a.txt", "b.bin"] == sorted(each.name for each in folder.iterdir())
    assert all(isinstance(each, ObjectStoragePath) for each in folder.iterdir())
    assert ("ä", 2, b"\xa4") == (
        (folder / "a.txt").read_text(),
        (folder / "a.txt").size(),
        (folder / "a.txt").read_block(1, 1),
    )
    with (folder / "b.bin").open("rb", compression="gzip") as file:
        assert b"content" == file.read()
    stat = (folder / "a.txt").stat()
    assert (2, "memory", None) == (stat.st_size, stat["protocol"], stat["conn_id"])
    assert 0 < stat.st_mtime
    (folder / "a.txt").replace(folder / "c.txt")
    assert ["b.bin", "c.txt"] == sorted(each.name for each in folder.iterdir())
    (folder / "c.txt").unlink()
    assert not (folder / "c.txt").exists()


def test_files_and_folders_are_copied_and_moved_between_stores(tmp_path):
    local, there = ObjectStoragePath(f"file://{tmp_path}"), ObjectStoragePath("memory://b/target")
    (tmp_path / "one.txt").write_text("1")
    (local / "one.txt").copy(there / "one.txt")
    (there / "one.txt").move(local / "back.txt")
    (local / "sub").mkdir()
    (local / "sub" / "two.txt").write_text("2")
    (local / "sub").copy(there / "sub", recursive=True)

    assert "1" == (tmp_path / "back.txt").read_text()
    assert not (there / "one.txt").exists()
    assert "2" == (there / "sub" / "two.txt").read_text()


def test_a_copy_between_two_remote_stores_goes_through_here(tmp_path):
    attach("memory", "left", fs=get_fs("memory"))
    attach("memory", "right", fs=get_fs("memory"))
    left, right = ObjectStoragePath("memory://left@l/x"), ObjectStoragePath("memory://right@r/y")
    (left / "a" / "b.txt").write_text("b")
    with pytest.raises(IsADirectoryError, match="recursive=True"):
        left.copy(right)
    left.copy(right, recursive=True)
    right.mkdir(parents=True, exist_ok=True)
    (left / "a" / "b.txt").copy_into(right)

    assert "b" == (right / "a" / "b.txt").read_text() == (right / "b.txt").read_text()
    with pytest.raises(FileNotFoundError, match="absent"):
        (left / "absent").copy(right / "absent")
    with pytest.raises(NotADirectoryError):
        (left / "a" / "b.txt").copy_into(right / "b.txt")


def test_a_scheme_that_is_not_known_is_refused_in_words():
    assert not has_fs("nosuch")
    with pytest.raises(ValueError, match="no file system is known for nosuch://"):
        get_fs("nosuch")


def test_an_alias_names_a_store_that_was_attached():
    store = attach("memory", alias="an alias")

    assert store is attach(alias="an alias")
    with pytest.raises(ValueError, match="no store is attached as 'another'"):
        attach(alias="another")
    with pytest.raises(ValueError, match="needs a protocol"):
        attach()


def test_without_the_packages_the_import_says_what_to_add(monkeypatch):
    for name in [each for each in sys.modules if each.startswith("airlock.sdk.io")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    import airlock.sdk

    with pytest.raises(ImportError, match=r"pip install 'airlock-sdk\[io\]'"):
        _ = airlock.sdk.ObjectStoragePath
