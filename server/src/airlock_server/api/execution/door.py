"""
The door: a request's way to the database, which is open only while the request's launch is the current one.

A pod's token is checked in the same transaction as the work itself, so nothing can come between. After another pod has
taken over, not even a write that is already under way is done. Tokens that are not bound to a pod always pass.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

import sqlalchemy as sa

from airlock_server.keys.tokens import Claims
from airlock_server.rules import fencing
from airlock_server.rules.attempts import Attempt
from airlock_server.rules.fencing import Standing
from airlock_server.store import attempts, task_instances
from airlock_server.store.engine.database import Engine
from airlock_server.store.engine.types import now
from airlock_server.web.errors import Refused, ended, refused

T = TypeVar("T")
Work = Callable[[sa.Connection], T]


class Door(Protocol):
    """Three calls of ``Engine``. ``attempt`` is the asking pod, set inside the work; None without a pod."""

    @property
    def attempt(self) -> Attempt | None:
        """The asking pod's row."""

    @property
    def settled(self) -> bool:
        """Whether the launch has ended: then it may only ask about itself."""

    async def awrite(self, work: Work[T]) -> T:
        """Does work in a transaction of its own."""

    async def aread(self, work: Work[T]) -> T:
        """Reads."""

    async def point(self, work: Work[T]) -> T:
        """Reads one row by its key."""


def door(db: Engine, claims: Claims | None, opens: Standing) -> Door:
    """Returns the door for a request with these claims, on a route that is open up to the standing ``opens``."""
    if claims is None or claims.bound is None:
        return _Open(db)
    return _Fenced(db, claims, claims.bound.pod, opens)


class _Open:
    attempt = None
    settled = False

    def __init__(self, db: Engine) -> None:
        self.awrite, self.aread, self.point = db.awrite, db.aread, db.point


class _Fenced:
    def __init__(self, db: Engine, claims: Claims, pod_uid: str, opens: Standing) -> None:
        self._db = db
        self._claims = claims
        self._pod_uid = pod_uid
        self._opens = opens
        self.attempt: Attempt | None = None
        self.settled = False

    async def awrite(self, work: Work[T]) -> T:
        def locked(conn: sa.Connection) -> T | Refused:
            # A pod that takes over locks this row too, so it waits for the work, or the work sees it.
            task_instances.lock(conn, self._claims.sub)
            return self._enter(conn, work)

        return _or_raise(await self._db.awrite(locked))

    async def aread(self, work: Work[T]) -> T:
        return _or_raise(await self._db.aread(lambda conn: self._enter(conn, work)))

    async def point(self, work: Work[T]) -> T:
        return _or_raise(await self._db.point(lambda conn: self._enter(conn, work)))

    def _enter(self, conn: sa.Connection, work: Work[T]) -> T | Refused:
        """
        Returns the work's result, or the refusal. A refusal is not raised: that would undo the writes in the same
        commit.
        """
        self.attempt = attempts.of_pod(conn, self._pod_uid)
        standing = fencing.standing(self.attempt, self._claims.sub, now())
        self.settled = standing is not Standing.CURRENT
        if standing > self._opens:
            return _refusal(standing, self.attempt)
        try:
            return work(conn)
        except Refused as e:
            return e


def _or_raise(result: T | Refused) -> T:
    if isinstance(result, Refused):
        raise result
    return result


def _refusal(standing: Standing, attempt: Attempt | None) -> Refused:
    if standing is Standing.SETTLED:
        return refused(403, "launch_settled", "The launch has reported its state, and may no longer ask for this")
    if standing is Standing.EXPIRED:
        return ended("launch_expired", "The launch has reported its state, and some time ago")
    why = attempt.ended_because if attempt is not None else None
    return ended("superseded", f"This launch is no longer the one that counts: {why or 'its pod is not known'}")
