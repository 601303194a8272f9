"""What `context["task_state_store"]` asks, and what it makes of the answers."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from doubles.channel import PlayedChannel, played

from airlock.sdk import NEVER_EXPIRE, AirlockRuntimeError, PermissionDenied
from airlock.sdk.exceptions import NotJson
from airlock_runner.task.stores.state_store import DEFAULTS, StoreSettings, TaskStateStore, settings_in
from airlock_wire.protocol.messages import ErrorResponse, ErrorType, OKResponse, TaskStateStoreResult
from airlock_wire.protocol.stores import (
    ClearAllTaskStateStore,
    ClearTaskStateStore,
    DeleteTaskStateStore,
    GetTaskStateStore,
    SetTaskStateStore,
)


@pytest.fixture
def channel() -> Iterator[PlayedChannel]:
    with played() as channel:
        channel.answer = OKResponse(ok=True)
        yield channel


STORE = TaskStateStore("ti")
DEFAULT_RETENTION = timedelta(days=30)
LARGE_BYTES = DEFAULTS.max_value_storage_bytes


def test_a_value_is_read_and_a_missing_one_is_the_default(channel):
    channel.answer = TaskStateStoreResult(value={"a": 1})
    assert {"a": 1} == STORE.get("k")
    channel.answer = ErrorResponse(error=ErrorType.TASK_STORE_NOT_FOUND)
    assert [None, 7] == [STORE.get("k"), STORE.get("k", 7)]
    assert [GetTaskStateStore(ti_id="ti", key="k")] * 3 == channel.asked


@pytest.mark.parametrize(
    ("retention", "lasts"),
    [(None, DEFAULT_RETENTION), (timedelta(hours=6), timedelta(hours=6)), (NEVER_EXPIRE, None)],
)
def test_a_value_is_kept_for_its_retention(channel, retention, lasts):
    before = datetime.now(UTC)
    STORE.set("k", (1, 2), retention=retention)
    (message,) = channel.asked

    assert SetTaskStateStore(ti_id="ti", key="k", value=[1, 2], expires_at=message.expires_at) == message
    if lasts is None:
        assert None is message.expires_at
    else:
        assert before + lasts <= message.expires_at <= datetime.now(UTC) + lasts


def test_keys_are_forgotten_one_by_one_or_all(channel):
    STORE.delete("k")
    STORE.clear()
    STORE.clear(all_map_indices=True)

    assert [
        DeleteTaskStateStore(ti_id="ti", key="k"), ClearTaskStateStore(ti_id="ti"), ClearAllTaskStateStore(ti_id="ti")
    ] == channel.asked  # fmt: skip


def test_the_server_says_how_long_a_value_lasts_and_how_large_it_may_be(channel, caplog):
    settings = settings_in({"state_store": {"default_retention_days": 0, "max_value_storage_bytes": 3}})
    assert DEFAULTS == settings_in({})
    TaskStateStore("ti", settings=settings).set("k", "long")
    assert None is channel.asked[0].expires_at
    assert "more than 3" in caplog.text
    TaskStateStore("ti", settings=StoreSettings(max_value_storage_bytes=0)).set("k", "x" * LARGE_BYTES)
    assert 1 == len(caplog.records)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: STORE.set("k", None), ValueError, "delete the key"),
        (lambda: STORE.set("k", {1, 2}), NotJson, "set"),
        (lambda: STORE.set("k", 1, retention=timedelta(0)), ValueError, "retention"),
        (lambda: STORE.set("", 1), TypeError, "key"),
        (lambda: STORE.get(3), TypeError, "key"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_it_is_asked(channel, call, error, text):
    with pytest.raises(error, match=text):
        call()
    assert [] == channel.asked


def test_a_large_value_is_kept_with_a_warning(channel, caplog):
    with caplog.at_level(logging.WARNING, "airlock.task"):
        STORE.set("k", "x" * LARGE_BYTES)
    assert 1 == len(channel.asked)
    assert "keep it elsewhere" in caplog.text
    assert "xxx" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "error"), [(ErrorType.PERMISSION_DENIED, PermissionDenied), (ErrorType.GENERIC_ERROR, AirlockRuntimeError)]
)
def test_a_refusal_is_raised_also_where_a_default_is_given(channel, kind, error):
    channel.answer = ErrorResponse(error=kind)
    for call in (lambda: STORE.get("k", 1), lambda: STORE.set("k", 1), lambda: STORE.delete("k"), STORE.clear):
        with pytest.raises(error):
            call()
