"""
Triggers that a DAG file names: a class of the author's or a provider's, with its arguments. A runner loads them.
"""

from typing import Any

import msgspec

from airlock_wire.assets import DeclaredAsset


class StartTrigger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a task is deferred with before any process of it has run."""

    trigger_cls: str
    trigger_kwargs: dict[str, Any] = {}
    next_method: str = "execute_complete"
    next_kwargs: dict[str, Any] = {}
    timeout_seconds: float | None = None


class SerializedWatcher(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What writes an event of an asset whenever its trigger fires."""

    asset: DeclaredAsset
    name: str
    classpath: str
    kwargs: dict[str, Any] = {}
