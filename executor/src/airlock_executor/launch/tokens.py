"""
Says when the token of a launch is minted anew. Pure.

A token that its sidecar has not shown yet is renewed at half of its life. So the Secret holds a good one before a
sidecar that was refused gives up (docs/adr/0015).
"""

import msgspec


class TokenLife(msgspec.Struct, frozen=True):
    """When a token was minted, and for how long; seconds of one clock."""

    minted_at: float
    seconds: float


#: The life of a token that another process minted: nothing of it is known, so it is renewed at once.
UNKNOWN = TokenLife(float("-inf"), 0.0)


def due(life: TokenLife, now: float, *, begun: bool) -> bool:
    """Tells whether a token is minted anew now. A launch that has begun has tokens of its own from the server."""
    return not begun and now >= life.minted_at + life.seconds / 2
