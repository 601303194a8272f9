"""
Which strings never reach a log, and their removal. Airflow's rule: what a connection's password and extra hold,
variables and keys whose name looks sensitive, and what the task asked to be masked; nothing under five characters.

More than one spelling of a secret is masked: as it is, as ``repr`` and JSON escape it, as it stands in a URL, and
line by line where it has lines, because a log is lines.
"""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

MIN_SECRET_CHARS = 5
STARS = "***"

#: All that is remembered together; past it a MaskSecret is refused, since a mask that is dropped is a leak.
MAX_MASKS_CHARS = 1_000_000

_SENSITIVE_PARTS = (
    "access_key", "access_token", "api_key", "apikey", "auth_header", "authorization", "bearer", "connection_string",
    "dsn", "keyfile_dict", "passphrase", "passwd", "password", "private_key", "proxies", "proxy", "secret",
    "service_account", "service_key", "token", "webhook_url",
)  # fmt: skip
_NOT_SECRET = frozenset({"airflow", "airlock"})


def looks_sensitive(name: str) -> bool:
    """Whether a variable or key of this name holds a secret, by its name alone."""
    normal = re.sub(r"\W+", "_", name.strip().lower())
    return any(part in normal for part in _SENSITIVE_PARTS)


def secrets_in(value: Any, name: str | None = None) -> list[str]:
    """The secret strings in a JSON value: every string, or with a name only those under a sensitive one."""
    if isinstance(value, str):
        wanted = len(value) >= MIN_SECRET_CHARS and value.lower() not in _NOT_SECRET
        return [value] if wanted and (name is None or looks_sensitive(name)) else []
    if isinstance(value, dict):
        return [s for key, inner in value.items() for s in secrets_in(inner, _inner_name(name, str(key)))]
    if isinstance(value, list | tuple):
        return [s for inner in value for s in secrets_in(inner, name)]
    return []


def _inner_name(outer: str | None, key: str) -> str:
    # Below a sensitive key everything is secret, whatever it is called.
    return outer if outer is not None and looks_sensitive(outer) else key


def secrets_of_connection(password: str | None, extra: str | None) -> list[str]:
    """What to mask of a connection: its password, its extra as a whole, and the extra's sensitive values."""
    found = secrets_in(password) + secrets_in(extra)
    try:
        parsed = json.loads(extra) if extra else None
    except ValueError:
        return found
    return found + secrets_in(parsed, "")


def spellings(secret: str) -> set[str]:
    """Every form of a secret that is masked."""
    forms = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {quote(secret), quote(secret, safe="")}
    forms |= {line.strip() for line in secret.splitlines()} if "\n" in secret or "\r" in secret else set()
    return {form for form in forms if len(form) >= MIN_SECRET_CHARS}


class Masker:
    """The set of masked strings, and their removal from text. Adding and masking may happen in different threads."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.longest = 0
        self.secrets: list[str] = []
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> list[str]:
        """Masks these from now on; returns those that are new. Raises ValueError past MAX_MASKS_CHARS, adding none."""
        new = [secret for secret in dict.fromkeys(secrets) if secret not in self._forms]
        if not new:
            return []
        if sum(map(len, self.secrets)) + sum(map(len, new)) > MAX_MASKS_CHARS:
            raise ValueError(f"more than {MAX_MASKS_CHARS} characters of secrets to mask")
        forms = self._forms.union(*(spellings(secret) for secret in new))
        # The longest first, so that a secret that begins with another is not masked by half.
        pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
        self._forms, self.longest = forms, max(map(len, forms), default=0)
        self._pattern = pattern if forms else None
        self.secrets.extend(new)
        return new

    def mask(self, text: str) -> str:
        """The text with stars in place of every secret."""
        return self._pattern.sub(STARS, text) if self._pattern else text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the secrets are in a text, so that it is never cut inside one."""
        return [match.span() for match in self._pattern.finditer(text)] if self._pattern else []

    def mask_value(self, value: Any) -> Any:
        """A JSON value with every string in it masked, keys too."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask(str(key)): self.mask_value(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.mask_value(inner) for inner in value]
        return value
