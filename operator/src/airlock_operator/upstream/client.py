"""
Calls the server. No other module of the operator imports its client.

The operator asks the server two things: whether it answers, and what it knows of an attempt whose pod does not show its
end. For the second question it proves itself with its own service-account token, which opens nothing else there.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec

from airlock_operator.decide.case import Answer
from airlock_operator.upstream.errors import Silent
from airlock_operator.upstream.presence import Presence
from airlock_wire.process import backoff

log = logging.getLogger("airlock.operator")

_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_LOOK_SECONDS = 5.0


class Addresses(msgspec.Struct, frozen=True):
    """
    Where the server is. ``api`` is its Execution API, ``attempts`` the address of the question about an attempt, and
    ``airflow_api`` the Execution API of a real Airflow; an address is empty if there is not one. ``ca_file`` and
    ``airflow_ca_file`` are PEM files, empty for the system's authorities. ``token_file`` holds the operator's token.
    """

    api: str = ""
    attempts: str = ""
    ca_file: str = ""
    token_file: str = ""
    airflow_api: str = ""
    airflow_ca_file: str = ""


class Client:
    """One server of ours, and one of Airflow's. ``changed`` is called when one goes away or comes back."""

    def __init__(self, addresses: Addresses, changed: Callable[[], None]) -> None:
        self._addresses = addresses
        self._changed = changed
        self._session: aiohttp.ClientSession | None = None
        self._airlock = Presence("the server")
        self._airflows = Presence("Airflow's API server")

    @property
    def asks(self) -> bool:
        """Whether the operator may ask the server about an attempt."""
        return bool(self._addresses.attempts and self._addresses.token_file)

    def away(self, *, airflow: bool) -> str:
        """Returns since when the server of a TaskRun does not answer, in words; empty while it answers."""
        return (self._airflows if airflow else self._airlock).away

    async def watch(self) -> None:
        """Looks every few seconds whether the servers answer."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as self._session:
            while True:
                await asyncio.sleep(backoff.scattered(_LOOK_SECONDS))
                await self._look(self._airlock, self._addresses.api, self._addresses.ca_file)
                await self._look(self._airflows, self._addresses.airflow_api, self._addresses.airflow_ca_file)

    async def attempt(self, pod_uid: str) -> Answer:
        """Returns what the server knows of the attempt of this pod; raises Silent."""
        try:
            token = await asyncio.to_thread(Path(self._addresses.token_file).read_text)
        except OSError as e:
            raise Silent(f"the operator's token cannot be read: {e.strerror}") from e
        headers = {"Authorization": f"Bearer {token.strip()}"}
        url = f"{self._addresses.attempts}/{pod_uid}"
        status, data = await self._get(url, self._addresses.ca_file, headers)
        if status == 404 and b'"NotFound"' in data:
            return Answer("")
        if status != 200:
            raise Silent(f"the server answered {status} to the question for it")
        try:
            return msgspec.json.decode(data, type=Answer)
        except msgspec.MsgspecError as e:
            raise Silent(f"the server's answer cannot be read: {e}") from e

    async def _look(self, presence: Presence, api: str, ca_file: str) -> None:
        if not api:
            return
        try:
            status, _ = await self._get(f"{api}/health", ca_file, {})
        except Silent:
            changed = presence.failed(datetime.now(UTC))
        else:
            # Any answer of the server itself will do; a proxy answers 502 to 504 for a server that is away.
            changed = presence.failed(datetime.now(UTC)) if status >= 500 else presence.answered()
        if changed:
            log.warning("the server went away or came back", extra={"api": api, "away": presence.away})
            self._changed()

    async def _get(self, url: str, ca_file: str, headers: dict[str, str]) -> tuple[int, bytes]:
        if self._session is None:
            raise Silent("the operator has not begun to look for the server")
        try:
            # The certificates are read anew for each call: the file changes when the server's authority does.
            context = await asyncio.to_thread(ssl.create_default_context, cafile=ca_file or None)
            async with self._session.get(url, headers=headers, ssl=context, allow_redirects=False) as response:
                return response.status, await response.read()
        except (TimeoutError, OSError, aiohttp.ClientError) as e:
            raise Silent(f"the server does not answer: {type(e).__name__}") from e
