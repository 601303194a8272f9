"""Hands a mail to its server. The time is short: the sidecar waits 20 s for what follows a task's report."""

import contextlib
import random
import smtplib
import ssl
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Final

from airlock.sdk.exceptions import AirlockException
from airlock_runner.mail.outbox import Outbox

#: In all, with every try. A task that ended has so long for its mail.
SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 0.5


def send(mail: EmailMessage, outbox: Outbox, seconds: float = SECONDS) -> None:
    """
    Sends the mail. A server that does not answer is tried again; one that has the mail is not, so that nobody gets it
    twice. Raises AirlockException, which names the server and where it is set.
    """
    with _connected(outbox, time.monotonic() + seconds) as server:
        try:
            refused = server.send_message(mail)
        except (smtplib.SMTPException, OSError) as e:
            raise AirlockException(f"{_name(outbox)} did not take the mail: {_text(e)}") from e
    if refused:
        raise AirlockException(f"{_name(outbox)} did not take the mail for {', '.join(sorted(refused))}")


@contextlib.contextmanager
def _connected(outbox: Outbox, ends: float) -> Iterator[smtplib.SMTP]:
    server = _session(outbox, ends)
    try:
        yield server
    finally:
        # What was sent is sent, whatever the farewell is.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()


def _session(outbox: Outbox, ends: float) -> smtplib.SMTP:
    for number in range(1, outbox.tries + 1):
        try:
            return _opened(outbox, max(0.1, min(outbox.timeout_seconds, ends - time.monotonic())))
        except (smtplib.SMTPException, OSError) as e:
            pause = _PAUSE_SECONDS * 2**number * random.uniform(0.5, 1.0)  # noqa: S311 - a jitter
            if number == outbox.tries or not _passes(e) or time.monotonic() + pause >= ends:
                raise AirlockException(
                    f"{_name(outbox)} cannot be reached: {_text(e)}; it is set by {outbox.place}"
                ) from e
            time.sleep(pause)
    raise AirlockException(f"{outbox.place}: retry_limit must not be negative")


def _opened(outbox: Outbox, timeout: float) -> smtplib.SMTP:
    # The library checks no certificate unless it is given a context that does.
    context = ssl.create_default_context()
    if not outbox.checks_certificate:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    server = (
        smtplib.SMTP_SSL(outbox.host, outbox.port, timeout=timeout, context=context)
        if outbox.tls
        else smtplib.SMTP(outbox.host, outbox.port, timeout=timeout)
    )
    try:
        if outbox.starttls and not outbox.tls:
            server.starttls(context=context)
        if outbox.access_token:
            server.ehlo_or_helo_if_needed()
            line = f"user={outbox.login}\1auth=Bearer {outbox.access_token}\1\1"
            server.auth("XOAUTH2", lambda _=None: line)
        elif outbox.login and outbox.password:
            server.login(outbox.login, outbox.password)
    except BaseException:
        server.close()
        raise
    return server


def _passes(error: Exception) -> bool:
    """Tells whether another try may go better. Where no server is, none will be: most installs have none."""
    if isinstance(error, smtplib.SMTPResponseException):
        return 400 <= error.smtp_code < 500
    return isinstance(error, smtplib.SMTPServerDisconnected | TimeoutError | ConnectionResetError)


def _name(outbox: Outbox) -> str:
    return f"the mail server {outbox.host}:{outbox.port}"


def _text(error: Exception) -> str:
    """Returns the error in words, without the login that a server may repeat."""
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error
        return f"{error.smtp_code} {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"it refuses {', '.join(sorted(error.recipients))}"
    return str(error) or type(error).__name__
