"""
The tokens that tasks present: minted and verified here, and nowhere else (the only importer of pyjwt).

A **workload** token is made when a task instance is queued and opens only PATCH /run, which answers with an
**execution** token for everything else. Claims, validation and the refresh rule are Airflow 3.3's.
"""

import time
import uuid
from typing import Any, Literal

import jwt
import msgspec

from airlock_server.settings import JwtSettings

ALGORITHM = "HS512"
SCOPES = ("execution", "workload")

#: A token is refreshed when this share of its life is left, or this many seconds, whichever is more.
REFRESH_SHARE = 0.20
REFRESH_SECONDS = 30

Scope = Literal["execution", "workload"]


class InvalidToken(Exception):
    """This token opens nothing: 403. The text is for the log; it never holds the token."""


class Claims(msgspec.Struct, frozen=True):
    """What a valid token says: whose it is (a task instance's uuid), what it opens, and its time in epoch seconds."""

    sub: str
    scope: Scope
    iat: int
    exp: int


class Tokens:
    """Mints and verifies with one secret key of at least 64 bytes."""

    def __init__(self, key: bytes, settings: JwtSettings) -> None:
        self._key = key
        self._settings = settings
        self._required = ["aud", "exp", "iat"] + (["iss"] if settings.issuer else [])

    def mint_workload(self, ti_id: str, now: float | None = None) -> str:
        """A token for one launch of a queued task instance; it opens PATCH /run only."""
        return self._mint(ti_id, "workload", self._settings.workload_seconds, now)

    def mint_execution(self, ti_id: str, now: float | None = None) -> str:
        """A token for a running task instance. ``now`` is in epoch seconds, the clock's where it is None."""
        return self._mint(ti_id, "execution", self._settings.execution_seconds, now)

    def verify(self, token: str) -> Claims:
        """The claims of a token that holds; raises InvalidToken."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=self._settings.audience,
                issuer=self._settings.issuer or None,
                leeway=self._settings.leeway_seconds,
                options={"require": self._required},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as e:
            raise InvalidToken(f"Invalid auth token: {e}") from e
        scope = claims.get("scope", "execution")
        if scope not in SCOPES:
            raise InvalidToken(f"Invalid token scope: {scope}")
        try:
            sub = str(uuid.UUID(claims.get("sub")))
        except (ValueError, TypeError, AttributeError) as e:
            raise InvalidToken("Invalid auth token: sub is no UUID") from e
        return Claims(sub, scope, int(claims["iat"]), int(claims["exp"]))

    def refreshed(self, claims: Claims, now: float | None = None) -> str | None:
        """A successor where ``claims`` is an execution token near its end, else None. Workload tokens have none."""
        now = time.time() if now is None else now
        if claims.scope == "workload":
            return None
        refresh_below = max(int((claims.exp - claims.iat) * REFRESH_SHARE), REFRESH_SECONDS)
        return self.mint_execution(claims.sub, now) if claims.exp - int(now) <= refresh_below else None

    def _mint(self, ti_id: str, scope: Scope, seconds: int, now: float | None) -> str:
        issued = int(time.time() if now is None else now)
        claims: dict[str, Any] = {
            "sub": str(uuid.UUID(ti_id)),
            "scope": scope,
            "jti": uuid.uuid4().hex,
            "aud": self._settings.audience,
            "nbf": issued,
            "iat": issued,
            "exp": issued + seconds,
        }
        if self._settings.issuer:
            claims["iss"] = self._settings.issuer
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)
