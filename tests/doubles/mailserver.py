"""A real mail server on loopback, which keeps what it takes."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from airlock_server.keys import certificates

LOGIN = "airlock"
PASSWORD = "mail-password-42"
TOKEN = "mail-token-42"


class Mail(NamedTuple):
    """What one mail was: from whom to whom, in which words, and how it was handed over."""

    sender: str
    to: list[str]
    message: EmailMessage
    encrypted: bool
    login: str | None

    @property
    def body(self) -> str:
        """The text; Airflow's mails have it as one part of one."""
        part = self.message.get_body(("html",))
        text: str = part.get_content() if part else ""
        return text.replace("\r\n", "\n")


class MailServer:
    """
    What the server took, and how many sessions it had. Addresses at ``refused`` are not known; it turns ``busy``
    sessions away before it serves one.
    """

    def __init__(self, *, refused: str = "refused.example", busy: int = 0) -> None:
        self.mails: list[Mail] = []
        self.sessions = 0
        self.port = 0
        self.tls = False
        self.refused, self.busy = refused, busy

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        """Takes an address, or refuses it."""
        if address.endswith(f"@{self.refused}"):
            return f"550 5.1.1 {address} is not known here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:
        """Takes a mail."""
        assert isinstance(envelope.content, bytes)
        assert envelope.mail_from is not None
        message = message_from_bytes(envelope.content, policy=policy.default)
        # The session knows only of a protection that came later.
        encrypted = self.tls or session.ssl is not None
        self.mails.append(Mail(envelope.mail_from, envelope.rcpt_tos, message, encrypted, session.auth_data))
        return "250 OK"


class _Protocol(SMTP):
    """The protocol, with OAuth 2 among its logins."""

    async def auth_XOAUTH2(self, _: SMTP, words: list[str]) -> AuthResult:
        text = base64.b64decode(words[1]).decode()
        return AuthResult(success=text == f"user={LOGIN}\1auth=Bearer {TOKEN}\1\1", auth_data=f"{LOGIN} by its token")


class _Busy(asyncio.Protocol):
    """A server that has no time."""

    def connection_made(self, transport: Any) -> None:
        transport.write(b"421 4.3.2 try again later\r\n")
        transport.close()


@contextmanager
def running(server: MailServer, folder: Path, *, tls: bool = False, starttls: bool = False) -> Iterator[MailServer]:
    """Inside the block the server answers at its ``port``: encrypted from the first byte, or once it is asked."""
    context = server_context(folder) if tls or starttls else None
    server.tls = tls
    loop = asyncio.new_event_loop()

    def protocol() -> asyncio.Protocol:
        server.sessions += 1
        if server.sessions <= server.busy:
            return _Busy()
        return _Protocol(
            server,
            enable_SMTPUTF8=True,
            hostname="mail.example",
            tls_context=context if starttls else None,
            authenticator=_login,
            auth_require_tls=False,
            loop=loop,
        )

    listener = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls else None))
    server.port = listener.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_end(listener), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(listener: asyncio.Server) -> None:
    listener.close()
    await listener.wait_closed()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _login(_: SMTP, __: Session, ___: Envelope, ____: str, words: Any) -> AuthResult:
    right = (words.login, words.password) == (LOGIN.encode(), PASSWORD.encode())
    # Whoever handles a login answers it; the library answers a refusal.
    return AuthResult(success=right, handled=right, auth_data=LOGIN if right else None)


def server_context(folder: Path) -> ssl.SSLContext:
    """Returns what a server of an own authority has; the authority is ``ca.crt`` of the folder."""
    now = datetime.now(UTC)
    authority = certificates.make_authority(now)
    server = certificates.sign_server(authority, ["localhost"], now)
    for name, data in {"ca.crt": authority.certificate, "tls.crt": server.certificate, "tls.key": server.key}.items():
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context
