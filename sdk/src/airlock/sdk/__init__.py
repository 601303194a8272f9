"""
The API for DAG authors.

    from airlock.sdk import DAG, task

    with DAG("hello"):

        @task
        def greet():
            return "Hello!"

        greet()
"""

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from airlock.sdk.io import ObjectStoragePath as ObjectStoragePath

# ObjectStoragePath is not in it: ``import *`` would need the packages of the extra ``io``.
__all__ = [
    "DAG",
    "NEVER_EXPIRE",
    "AirlockException",
    "AirlockFailException",
    "AirlockRuntimeError",
    "AirlockSkipException",
    "Connection",
    "ConnectionNotFound",
    "Context",
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


def __getattr__(name: str) -> Any:
    """Imports what most DAG files do not use at its first use, because it needs packages of its own."""
    if name == "ObjectStoragePath":
        from airlock.sdk.io import ObjectStoragePath

        return ObjectStoragePath
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
