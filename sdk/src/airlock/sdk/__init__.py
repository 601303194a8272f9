"""
The API for DAG authors.

    from airlock.sdk import DAG, task

    with DAG("hello"):

        @task
        def greet():
            return "Hello!"

        greet()
"""

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
