"""JSON values that are stored as the text that was sent."""

import msgspec

from airlock_server.web.errors import InvalidRequest, Problem


def storable(value: msgspec.Raw) -> bytes:
    """Returns the value's text. Null is refused: it could not be told from a value that is not there."""
    try:
        decoded = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise InvalidRequest(Problem("value_error", ["body", "value"], f"Value error, {e}")) from e
    if decoded is None:
        raise InvalidRequest(Problem("value_error", ["body", "value"], "Value error, value must not be null"))
    return bytes(value)
