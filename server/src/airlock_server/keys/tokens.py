"""
Mints and verifies the tokens that tasks present. No other module does, and no other imports pyjwt.

A **workload** token is made when a task instance is queued. It opens only PATCH /run, which answers with an
**execution** token for everything else. A **lookup** token is for code that belongs to no task instance, such as a DAG
file while it is imported: it opens the reading of variables and connections. Claims, validation and the refresh rule
are Airflow 3.3's. A token that was exchanged for a pod's also names its pod, TaskRun and try, and is valid only while
that pod is the current one.

They are signed with a secret (HS512), or with a private key (RS256, EdDSA). Then public keys verify them, also those of
others. Which algorithm a token must have follows from the key alone, and never from the token.
"""

import math
import time
import uuid
from collections.abc import Sequence
from typing import Any, Literal

import jwt
import msgspec

from airlock_server.keys.public_keys import PublicKey, SigningKey
from airlock_server.keys.trusted_keys import TrustedKeys
from airlock_server.settings import JwtSettings
from airlock_wire.process.settings import SettingsError

#: The algorithm of a secret, unless [jwt] algorithm is another of these.
ALGORITHM = "HS512"
SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")
#: The name of a secret in a token's header, as Airflow writes it.
UNNAMED = "not-used"
SCOPES = ("execution", "workload", "lookup")

#: A token is refreshed when this share of its life is left, or this many seconds, whichever is more.
REFRESH_SHARE = 0.20
REFRESH_SECONDS = 30

#: A key's length. A key file holds one or more of them, one after the other.
KEY_BYTES = 64
#: Keys that one file holds at most: the one that signs, and two that still verify.
MAX_KEYS = 3

#: How many tokens that were verified are kept. To verify one again takes a third of a short request.
MAX_VERIFIED = 4096

Scope = Literal["execution", "workload", "lookup"]


_BOUND = "airlock"


class InvalidToken(Exception):
    """This token is not valid: 403. The text is for the log, and never holds the token."""


class Binding(msgspec.Struct, frozen=True, rename={"try_number": "try"}):
    """The launch that a token is bound to."""

    pod: str
    taskrun: str
    try_number: int


class Claims(msgspec.Struct, frozen=True):
    """
    The claims of a valid token: its task instance's uuid, its scope, its times in epoch seconds, and the launch that it
    is bound to (None if it is not bound).
    """

    sub: str
    scope: Scope
    iat: int
    exp: int
    bound: Binding | None = None


class Tokens:
    """
    Mints with the first key and verifies with all: ``keys`` is one or more secrets of 64 bytes, one after the other.

    With ``signing`` keys no secret is used: the first of them signs, and all of them and ``trusted`` verify.
    """

    def __init__(
        self,
        keys: bytes,
        settings: JwtSettings,
        *,
        signing: Sequence[SigningKey] = (),
        trusted: TrustedKeys | None = None,
    ) -> None:
        self._keys = [] if signing else [keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)]
        if not signing and (not self._keys or len(self._keys[-1]) != KEY_BYTES):
            raise ValueError(f"{len(keys)} bytes are not keys of {KEY_BYTES} bytes each")
        self._signing, self.trusted = signing, trusted
        self._public = {each.public.kid: each.public for each in signing}
        self._settings = settings
        self._secret_algorithm = settings.algorithm or ALGORITHM
        if not signing and self._secret_algorithm not in SECRET_ALGORITHMS:
            raise SettingsError(f"[jwt] algorithm is {settings.algorithm}, which needs a private_key_file")
        self._audiences, self._issuers = _several(settings.audience), _several(settings.issuer)
        self._required = ["aud", "exp", "iat"] + (["iss"] if self._issuers else [])
        self._verified: dict[str, Claims] = {}

    def mint_workload(self, ti_id: str, now: float | None = None) -> str:
        """Mints a token for one launch of a queued task instance; it opens PATCH /run only."""
        return self._mint(ti_id, "workload", self._settings.workload_seconds, now)

    def mint_execution(self, ti_id: str, now: float | None = None, *, at_least_seconds: float = 0.0) -> str:
        """
        Mints a token for a running task instance. ``now`` is in epoch seconds; None means the clock's time. A trigger
        that asks the server seldom needs a token that lives longer than others, because only a request refreshes it.
        """
        seconds = max(self._settings.execution_seconds, math.ceil(at_least_seconds))
        return self._mint(ti_id, "execution", seconds, now)

    def mint_lookup(self, now: float | None = None) -> str:
        """Mints a token for code that belongs to no task instance; its subject is nobody."""
        return self._mint(str(uuid.uuid4()), "lookup", self._settings.workload_seconds, now)

    def mint_for_pod(
        self, ti_id: str, pod_uid: str, taskrun_uid: str, try_number: int, now: float | None = None
    ) -> str:
        """Mints an execution token that is valid only while this pod is the one that runs the task instance."""
        return self._mint(
            ti_id, "execution", self._settings.execution_seconds, now, Binding(pod_uid, taskrun_uid, try_number)
        )

    @property
    def public(self) -> list[PublicKey]:
        """The public halves of the keys that sign here."""
        return list(self._public.values())

    async def ready(self, token: str) -> None:
        """Reads the trusted keys if the token may need them; ``verify`` then reads nothing."""
        if self.trusted is not None and (kid := _kid(token)) is not None and kid not in self._public:
            await self.trusted.ready(kid)

    def verify(self, token: str) -> Claims:
        """
        Returns the claims of a valid token; raises InvalidToken for any other. Of a token that was valid before, only
        its end can have changed that, unless keys of others are trusted, which they may withdraw.
        """
        if self.trusted is not None:
            return self._claims(token)
        claims = self._verified.get(token)
        if claims is None or time.time() >= claims.exp + self._settings.leeway_seconds:
            self._verified.pop(token, None)
            claims = self._claims(token)
            if len(self._verified) >= MAX_VERIFIED:
                del self._verified[next(iter(self._verified))]
            self._verified[token] = claims
        return claims

    def _claims(self, token: str) -> Claims:
        try:
            claims = self._decode(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as e:
            raise InvalidToken(f"Invalid auth token: {e}") from e
        scope = claims.get("scope", "execution")
        if scope not in SCOPES:
            raise InvalidToken(f"Invalid token scope: {scope}")
        try:
            sub = str(uuid.UUID(claims.get("sub")))
        except (ValueError, TypeError, AttributeError) as e:
            raise InvalidToken("Invalid auth token: sub is not a UUID") from e
        try:
            bound = msgspec.convert(claims.get(_BOUND), Binding | None)
        except msgspec.ValidationError as e:
            raise InvalidToken("Invalid auth token: it is bound to something that is not a launch") from e
        return Claims(sub, scope, int(claims["iat"]), int(claims["exp"]), bound)

    def refreshed(self, claims: Claims, now: float | None = None) -> str | None:
        """
        Mints a new token if ``claims`` is of an execution token near its end, else None. Others are not renewed.
        """
        now = time.time() if now is None else now
        if claims.scope != "execution":
            return None
        refresh_below = max(int((claims.exp - claims.iat) * REFRESH_SHARE), REFRESH_SECONDS)
        if claims.exp - int(now) > refresh_below:
            return None
        return self._mint(claims.sub, "execution", self._settings.execution_seconds, now, claims.bound)

    def _decode(self, token: str) -> dict[str, Any]:
        """Returns the claims, verified with the key that signed them; other faults are the same for all keys."""
        for key, algorithm in self._verifying(token):
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    audience=self._audiences,
                    issuer=self._issuers or None,
                    leeway=self._settings.leeway_seconds,
                    options={"require": self._required},
                )
            except jwt.InvalidSignatureError:
                continue
            return claims
        raise jwt.InvalidSignatureError("Signature verification failed")

    def _verifying(self, token: str) -> list[tuple[Any, str]]:
        """Returns the keys that may verify a token, each with its only algorithm."""
        if self._keys:
            return [(key, self._secret_algorithm) for key in self._keys]
        kid = _kid(token)
        if kid is None:
            raise jwt.InvalidTokenError("The header does not name a key (kid)")
        public = self._public.get(kid) or (self.trusted.get(kid) if self.trusted else None)
        if public is None:
            raise jwt.InvalidTokenError("The header names a key that is not trusted")
        return [(public.key, public.algorithm)]

    def _mint(self, ti_id: str, scope: Scope, seconds: int, now: float | None, bound: Binding | None = None) -> str:
        issued_at = int(time.time() if now is None else now)
        claims: dict[str, Any] = {
            "sub": str(uuid.UUID(ti_id)),
            "scope": scope,
            "jti": uuid.uuid4().hex,
            "aud": self._audiences[0],
            "nbf": issued_at,
            "iat": issued_at,
            "exp": issued_at + seconds,
        }
        if self._issuers:
            claims["iss"] = self._issuers[0]
        if bound is not None:
            claims[_BOUND] = msgspec.to_builtins(bound)
        if self._signing:
            key = self._signing[0]
            header = {"kid": key.public.kid}
            return jwt.encode(claims, key.private, algorithm=key.public.algorithm, headers=header)
        header = {"kid": self._settings.key_id or UNNAMED}
        return jwt.encode(claims, self._keys[0], algorithm=self._secret_algorithm, headers=header)


def _several(setting: str) -> list[str]:
    return [each.strip() for each in setting.split(",") if each.strip()]


def _kid(token: str) -> str | None:
    """Returns the name of the key in a token's header, which nothing has verified yet; None without one."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    return kid if isinstance(kid, str) else None
