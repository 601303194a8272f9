"""
The API for DAG authors.

    from airlock.sdk import DAG, task

    with DAG("hello"):

        @task
        def greet():
            return "Hello!"

        greet()
"""

import typing as _typing

from airlock.sdk._connection import Connection
from airlock.sdk._context import Context, get_current_context
from airlock.sdk._dag import DAG, dag
from airlock.sdk._masking import mask_secret
from airlock.sdk._retention import NEVER_EXPIRE
from airlock.sdk._task import task
from airlock.sdk._variable import Variable
from airlock.sdk._xcom import XComArg
from airlock.sdk.exceptions import (
    AirlockException,
    AirlockFailException,
    AirlockRuntimeError,
    AirlockSkipException,
    ConnectionNotFound,
    PermissionDenied,
    TaskTerminated,
    VariableNotFound,
)

if _typing.TYPE_CHECKING:
    from airlock.sdk._assets import Asset, AssetAlias, AssetAll, AssetAny, AssetNameRef, AssetRef, AssetUriRef, Metadata
    from airlock.sdk.io import ObjectStoragePath as ObjectStoragePath

# ObjectStoragePath is not in it: ``import *`` would need the packages of the extra ``io``.
__all__ = [
    "DAG",
    "NEVER_EXPIRE",
    "AirlockException",
    "AirlockFailException",
    "AirlockRuntimeError",
    "AirlockSkipException",
    "Asset",
    "AssetAlias",
    "AssetAll",
    "AssetAny",
    "AssetNameRef",
    "AssetRef",
    "AssetUriRef",
    "Connection",
    "ConnectionNotFound",
    "Context",
    "Metadata",
    "PermissionDenied",
    "TaskTerminated",
    "Variable",
    "VariableNotFound",
    "XComArg",
    "dag",
    "get_current_context",
    "mask_secret",
    "task",
]

#: Names that are imported at their first use: most tasks have no assets, and do not pay for them.
_ASSETS = frozenset(
    {"Asset", "AssetAlias", "AssetAll", "AssetAny", "AssetNameRef", "AssetRef", "AssetUriRef", "Metadata"}
)


def __getattr__(name: str) -> _typing.Any:
    """Returns a name that is imported at its first use."""
    if name == "ObjectStoragePath":
        from airlock.sdk.io import ObjectStoragePath

        return ObjectStoragePath
    if name not in _ASSETS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airlock.sdk import _assets

    return getattr(_assets, name)
