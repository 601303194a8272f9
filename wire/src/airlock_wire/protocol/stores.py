"""
The state stores: small values that a task keeps for its later launches, or an asset's tasks for each other.
"""

from datetime import datetime
from typing import Any

from airlock_wire.protocol.messages import Message


class GetTaskStateStore(Message, frozen=True, kw_only=True):
    """A value that this task keeps; TaskStateStoreResult, or TASK_STORE_NOT_FOUND in the body slot."""

    ti_id: str
    key: str


class SetTaskStateStore(Message, frozen=True, kw_only=True):
    """Keeps a value for this task, until a date where one is given; OKResponse."""

    ti_id: str
    key: str
    value: Any
    expires_at: datetime | None


class DeleteTaskStateStore(Message, frozen=True, kw_only=True):
    """Forgets one; OKResponse."""

    ti_id: str
    key: str


class ClearTaskStateStore(Message, frozen=True, kw_only=True):
    """Forgets all of this task and map index; OKResponse."""

    ti_id: str


class ClearAllTaskStateStore(Message, frozen=True, kw_only=True):
    """
    Forgets all of this task in this DAG run, of every map index; OKResponse. Airlock's own: Airflow's runner does not
    send it, and Airflow's server refuses it.
    """

    ti_id: str


class GetAssetStateStoreByName(Message, frozen=True, kw_only=True):
    """A value that is kept for an asset; AssetStateStoreResult, or ASSET_STORE_NOT_FOUND in the body slot."""

    name: str
    key: str


class GetAssetStateStoreByUri(Message, frozen=True, kw_only=True):
    """The same by the asset's URI."""

    uri: str
    key: str


class AssetStateStoreResult(Message, frozen=True, kw_only=True):
    """The value."""

    value: Any


class SetAssetStateStoreByName(Message, frozen=True, kw_only=True):
    """Keeps a value for an asset; OKResponse."""

    name: str
    key: str
    value: Any


class SetAssetStateStoreByUri(Message, frozen=True, kw_only=True):
    """The same by the asset's URI."""

    uri: str
    key: str
    value: Any


class DeleteAssetStateStoreByName(Message, frozen=True, kw_only=True):
    """Forgets one; OKResponse."""

    name: str
    key: str


class DeleteAssetStateStoreByUri(Message, frozen=True, kw_only=True):
    """The same by the asset's URI."""

    uri: str
    key: str


class ClearAssetStateStoreByName(Message, frozen=True, kw_only=True):
    """Forgets all of an asset; OKResponse."""

    name: str


class ClearAssetStateStoreByUri(Message, frozen=True, kw_only=True):
    """The same by the asset's URI."""

    uri: str
