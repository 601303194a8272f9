"""Values from the runner on their way to JSON. msgpack can say things that JSON cannot."""

from typing import Any

import msgspec

from airlock_sidecar.errors import NotAllowed


def as_json(value: Any) -> bytes:
    """The value as JSON; NotAllowed for what JSON has no form for: an extension type, a map with odd keys."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as e:
        raise NotAllowed("not JSON", f"a value that is not JSON: {e}") from e
