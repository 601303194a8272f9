"""
Parameters of a DAG or a task: a value and the JSON schema that it must follow.
"""

from typing import Any

import msgspec


class SerializedParam(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parameter. Without ``has_value`` it has no default, and whoever makes a run must give it."""

    value: Any = None
    has_value: bool = True
    schema: dict[str, Any] = {}
    description: str | None = None
    source: str | None = None
