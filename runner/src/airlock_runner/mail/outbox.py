"""Which server takes the mail: a connection's, as Airflow's smtp provider reads it, or that of ``[smtp]``. Pure."""

from typing import Any, Final, NamedTuple

from airlock.sdk.configuration import Configuration
from airlock.sdk.definitions.connection import Connection
from airlock.sdk.exceptions import AirlockException

#: Who the mail is from, where nobody says it. It is Airflow's.
SENDER: Final = "airflow@airflow"
_PORT: Final = 25
_TLS_PORT: Final = 465
_CONTEXTS: Final = ("default", "none")


class Outbox(NamedTuple):
    """A server and how it is spoken to. ``place`` says where that is written; ``tries`` counts connections."""

    place: str
    host: str
    port: int
    tls: bool = False
    starttls: bool = True
    checks_certificate: bool = True
    login: str = ""
    password: str = ""
    access_token: str = ""
    sender: str = SENDER
    timeout_seconds: float = 30.0
    tries: int = 6


def of_connection(connection: Connection, conf: Configuration) -> Outbox:
    """Returns the server of a connection. Raises AirlockException for extras that mean nothing."""
    extra, place = connection.extra_dejson, f"connection {connection.conn_id!r}"
    tls = not extra.get("disable_ssl", False)
    token = extra.get("access_token") or ""
    if extra.get("auth_type", "basic") == "oauth2" and not token:
        raise AirlockException(f"{place}: auth_type oauth2 needs access_token among its extras")
    if not connection.host:
        raise AirlockException(f"{place} does not have a host; give it the name of the mail server")
    return Outbox(
        place=place,
        host=connection.host,
        port=connection.port or (_TLS_PORT if tls else _PORT),
        tls=tls,
        starttls=not extra.get("disable_tls", False),
        checks_certificate=_checks(extra.get("ssl_context") or "default", f"ssl_context of {place}"),
        login=connection.login or "",
        password=connection.password or "",
        access_token=str(token) if extra.get("auth_type") == "oauth2" else "",
        sender=conf.get("email", "from_email", fallback="") or extra.get("from_email") or SENDER,
        timeout_seconds=_number(extra, "timeout", 30, place),
        tries=int(_number(extra, "retry_limit", 5, place)) + 1,
    )


def of_settings(conf: Configuration) -> Outbox:
    """Returns the server of ``[smtp]``: no login is in it, because the environment of a task is not a place for one."""
    sender = conf.get("email", "from_email", fallback="") or conf.get("smtp", "smtp_mail_from", fallback="")
    return Outbox(
        place="[smtp] smtp_host",
        host=conf.get("smtp", "smtp_host"),
        port=conf.getint("smtp", "smtp_port"),
        tls=conf.getboolean("smtp", "smtp_ssl"),
        starttls=conf.getboolean("smtp", "smtp_starttls"),
        checks_certificate=_checks(conf.get("email", "ssl_context"), "[email] ssl_context"),
        sender=sender or SENDER,
        timeout_seconds=conf.getfloat("smtp", "smtp_timeout"),
        tries=conf.getint("smtp", "smtp_retry_limit") + 1,
    )


def _checks(context: str, what: str) -> bool:
    if context not in _CONTEXTS:
        raise AirlockException(f"{what} must be {' or '.join(_CONTEXTS)}, not {context!r}")
    return context == "default"


def _number(extra: dict[str, Any], name: str, default: float, place: str) -> float:
    value = extra.get(name, default)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise AirlockException(f"{place}: {name} among its extras must be a number, not {value!r}") from None
