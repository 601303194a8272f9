"""
The Lease: of all operators with one name, one works at a time.

kubernetes.aio has a leader election, but its requests have no time limit: one that hangs outlives the lease
(docs/adr/0012). The decision is pure (``bid``); the loop around it is thin.

The Lease is not a lock: a leader that is cut off learns of it late. Two live operators are still harmless. A pod's name
can be taken once. A status is written only over the version that was read. The server gives a token only to the pod in
the status.
"""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec

from airlock_operator.durations import micro_text
from airlock_operator.kube import errors
from airlock_operator.kube.api import Cluster
from airlock_wire.process import backoff

log = logging.getLogger("airlock.operator.lease")

_RETRY_SECONDS = 2.0
#: How often work that waits looks whether the Lease is sure again.
_LOOK_SECONDS = 0.5


class Bid(Enum):
    """What to do about a Lease."""

    CREATE = "create"
    TAKE = "take"
    RENEW = "renew"
    WAIT = "wait"


class Seen(msgspec.Struct, frozen=True):
    """A Lease's holder and renewal as last read, and when (monotonic) that pair was first seen."""

    holder: str
    renewed: str
    since: float


def bid(lease: dict[str, Any] | None, me: str, sighting: Seen | None, now: float) -> Bid:
    """
    Returns what to do. Another's lease has run out only if *we* saw no renewal for its whole length: the clocks of two
    nodes are never compared.
    """
    if lease is None:
        return Bid.CREATE
    spec = lease.get("spec") or {}
    holder = spec.get("holderIdentity") or ""
    if holder == me:
        return Bid.RENEW
    if not holder:
        return Bid.TAKE
    if sighting is None or (sighting.holder, sighting.renewed) != (holder, spec.get("renewTime") or ""):
        return Bid.WAIT
    return Bid.TAKE if now - sighting.since > float(spec.get("leaseDurationSeconds") or 15) else Bid.WAIT


class Leadership:
    """One candidate."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, identity: str, seconds: float) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._seconds = seconds
        self._sighting: Seen | None = None
        self.held = False
        #: How often the Lease has changed hands, as last read.
        self.transitions = 0
        self._reached = False
        self._renewed_at = float("-inf")
        #: The renewal that was last written, and when its write began.
        self._attempt = ("", float("-inf"))

    def ready(self) -> bool:
        """Tells whether the API server has answered about the Lease: before that this process can do nothing."""
        return self._reached

    async def acquire(self) -> None:
        """Returns once the Lease is ours."""
        # It polls, because the API server sends no event for a Lease that was not renewed.
        while not await self._try():  # noqa: ASYNC110
            await asyncio.sleep(backoff.scattered(_RETRY_SECONDS))
        self.held = True
        log.info("leading", extra={"identity": self._identity})

    @property
    def sure(self) -> bool:
        """Whether nobody else can have the Lease: it was renewed within two thirds of its length."""
        return self.held and asyncio.get_running_loop().time() - self._renewed_at < self._seconds * 2 / 3

    async def until_sure(self) -> None:
        """Waits while somebody else might have the Lease: then nothing may be decided."""
        # Time alone makes it unsure, so no event can tell of that.
        while not self.sure:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    async def keep(self) -> None:
        """
        Renews the Lease; returns when another has it. One that cannot be renewed is not lost: where the API server is
        slow or away, the standby cannot take it either. Work waits until it is sure.
        """
        while self._sighting is None or self._sighting.holder in ("", self._identity):
            await asyncio.sleep(_RETRY_SECONDS)
            was_sure = self.sure
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds / 3):
                    await self._try()
            if was_sure != self.sure:
                log.warning("sure of the Lease" if self.sure else "not sure of the Lease: work waits")
        self.held = False
        log.error("another has the Lease", extra={"identity": self._identity, "holder": self._sighting.holder})

    async def release(self) -> None:
        """Releases the Lease, so that a standby need not wait for its end."""
        try:
            lease = await self._cluster.lease(self._namespace, self._name)
            if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._cluster.write_lease(self._namespace, lease)
        except errors.KubernetesError as e:
            log.info("the Lease was not released", extra={"error": str(e)})
        self.held = False

    async def _try(self) -> bool:
        try:
            lease: dict[str, Any] | None = await self._cluster.lease(self._namespace, self._name)
        except errors.NotFound:
            lease = None
        except errors.KubernetesError as e:
            log.warning("the Lease cannot be read", extra={"error": str(e)})
            return False
        self._reached = True
        now = asyncio.get_running_loop().time()
        decision = bid(lease, self._identity, self._sighting, now)
        if lease is not None:
            self._note(lease, now)
        if decision is Bid.WAIT:
            return False
        body = self._body(lease, decision)
        self._attempt = (body["spec"]["renewTime"], now)
        try:
            if lease is None:
                await self._cluster.create_lease(self._namespace, body)
            else:
                await self._cluster.write_lease(self._namespace, body)
        except errors.KubernetesError as e:
            log.info("the Lease was not had", extra={"error": str(e)})
            return False
        self._renewed_at = now
        # What was read before this write may name another.
        self._sighting = Seen(self._identity, self._attempt[0], now)
        return True

    def _note(self, lease: dict[str, Any], now: float) -> None:
        spec = lease.get("spec") or {}
        self.transitions = int(spec.get("leaseTransitions") or 0)
        holder, renewed = spec.get("holderIdentity") or "", spec.get("renewTime") or ""
        if (holder, renewed) == (self._identity, self._attempt[0]):
            # The answer to that write was an error or came too late, and the write was made.
            self._renewed_at = max(self._renewed_at, self._attempt[1])
        if self._sighting is None or (self._sighting.holder, self._sighting.renewed) != (holder, renewed):
            self._sighting = Seen(holder, renewed, now)

    def _body(self, lease: dict[str, Any] | None, decision: Bid) -> dict[str, Any]:
        now = micro_text(datetime.now(UTC))
        spec = dict((lease or {}).get("spec") or {})
        spec |= {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._seconds)),
            "renewTime": now,
        }
        if decision is not Bid.RENEW:
            spec |= {"acquireTime": now, "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": (lease or {}).get("metadata") or {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }
