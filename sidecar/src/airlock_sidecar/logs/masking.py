"""
Finds secrets and masks them in texts. Airflow's rule says what is a secret: a connection's password and extra,
variables and keys whose name looks sensitive, and what the task asked to be masked; nothing under five characters.

Parts of a secret are secrets too: the values inside its JSON, the password in its URL, and each of its lines, because
a log is read by lines. Every spelling of a secret is masked (``spellings``).
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from airlock_sidecar.logs import spellings

MIN_SECRET_CHARS = 5
STARS = "***"

#: The total of all secrets. Past it a MaskSecret is refused: dropping a mask would leak a secret.
MAX_MASKS_CHARS = 1_000_000
MAX_MASKS = 5_000

#: How long the expression for all short secrets may become: compiling it takes memory in proportion.
_MAX_EXPRESSION_CHARS = 200_000
#: A cut of a long line may fall into a secret whose spelling is longer than this: the line would wait in memory.
_MOST_LONGEST_CHARS = 256 * 1024
#: How deep JSON inside JSON is looked into.
_MAX_DEPTH = 40

_SENSITIVE_PARTS = (
    "access_key", "access_token", "api_key", "apikey", "auth_header", "authorization", "bearer", "connection_string",
    "dsn", "keyfile_dict", "passphrase", "passwd", "password", "private_key", "proxies", "proxy", "secret",
    "service_account", "service_key", "token", "webhook_url",
)  # fmt: skip
_NOT_SECRET = frozenset({"airflow", "airlock"})


@lru_cache(maxsize=1024)  # the keys of a task's records are always the same
def looks_sensitive(name: str) -> bool:
    """Tells whether a variable or key of this name holds a secret, by its name alone."""
    normal = re.sub(r"\W+", "_", name.strip().lower())
    return any(part in normal for part in _SENSITIVE_PARTS)


def secrets_in(value: Any, name: str | None = None) -> list[str]:
    """
    Returns the secrets in a JSON value. With a ``name`` they are what is under a sensitive name: this one, or a key
    inside. Without a name the whole value is secret, except maps, whose keys are names. A text that holds JSON is
    searched too, and is itself a secret: Airflow's runner masks a connection's extra in that form.
    """
    if name is None and isinstance(value, str) and (inner := _json(value)) is not None:
        whole = [value] if _is_secret(value) else []
        return list(dict.fromkeys([*whole, *secrets_in(inner)]))
    if name is None and isinstance(value, dict):
        return [secret for key, inner in value.items() for secret in secrets_in(inner, str(key))]
    if name is None and isinstance(value, list | tuple):
        return [secret for inner in value for secret in secrets_in(inner)]
    return list(dict.fromkeys(_found(value, hidden=name is None or looks_sensitive(name), depth=0)))


def secrets_of_connection(password: str | None, extra: str | None) -> list[str]:
    """Returns what to mask of a connection: its password, its extra as a whole, and the extra's sensitive values."""
    whole = [extra] if extra is not None and _is_secret(extra) else []
    return list(dict.fromkeys([*secrets_in(password, "password"), *whole, *_found(extra, hidden=False, depth=0)]))


def _found(value: Any, *, hidden: bool, depth: int) -> Iterator[str]:
    """Yields the secrets in a value. With ``hidden`` all of it is secret, because it is under a sensitive key."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        if hidden:
            yield from filter(_is_secret, (value, value.strip(), *_lines(value), *_of_url(value)))
        if (inner := _json(value)) is not None:
            yield from _found(inner, hidden=hidden, depth=depth + 1)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _found(inner, hidden=hidden or looks_sensitive(str(key)), depth=depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _found(inner, hidden=hidden, depth=depth + 1)
    elif hidden and isinstance(value, int | float) and not isinstance(value, bool) and _is_secret(str(value)):
        yield str(value)


def _json(text: str) -> Any:
    """Returns what a text holds as JSON, None where it is not a map, a list or a text."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_secret(text: str) -> bool:
    return len(text) >= MIN_SECRET_CHARS and text.lower() not in _NOT_SECRET


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()] if "\n" in text or "\r" in text else []


def _of_url(text: str) -> list[str]:
    """Returns the password in a URL, both quoted as in the URL and unquoted."""
    if "://" not in text:
        return []
    try:
        password = urlsplit(text.strip()).password or ""
    except ValueError:
        return []
    return [password, unquote(password)]


class Masker:
    """The set of masked strings, and their removal from text. Adding and masking may happen in different threads."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lookup: set[str] = set()
        self._search = _Search(())
        self.longest = 0
        self.secrets: list[str] = []
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> list[str]:
        """Masks these from now on; returns those that are new. Raises ValueError past the limits, adding none."""
        new = [secret for secret in dict.fromkeys(secrets) if secret not in self._lookup]
        if not new:
            return []
        if sum(map(len, self.secrets)) + sum(map(len, new)) > MAX_MASKS_CHARS:
            raise ValueError(f"more than {MAX_MASKS_CHARS} characters of secrets to mask")
        if len(self.secrets) + len(new) > MAX_MASKS:
            raise ValueError(f"more than {MAX_MASKS} secrets to mask")
        search = _Search([*self.secrets, *new])
        self._lookup.update(new)
        self.longest = min(_MOST_LONGEST_CHARS, max([self.longest, *map(spellings.longest, new)]))
        self.secrets.extend(new)
        self._search = search
        return new

    def mask(self, text: str) -> str:
        """Returns the text with stars in place of every secret."""
        return self._search.mask(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Tells where the secrets are in a text, so that it is never cut inside one."""
        return self._search.spans(text)

    def mask_cut(self, text: str, end: int) -> str:
        """
        Returns the same for a text that somebody has cut off at ``end``, perhaps inside a secret: what stands of it
        before the cut is masked as well.
        """
        before = text[:end]
        for secret in self.secrets:
            for size in range(min(len(secret) - 1, len(before)), MIN_SECRET_CHARS - 2, -1):
                if before.endswith(secret[:size]):
                    return self.mask(before[: end - size]) + STARS + self.mask(text[end:])
        return self.mask(text)

    def mask_value(self, value: Any) -> Any:
        """
        Returns a JSON value with every string and number in it masked, keys too, and all that lies under sensitive
        keys.
        """
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {
                # A key that is not text stays as it is: what cannot be JSON is refused later.
                self.mask(key) if isinstance(key, str) else key: _hide(inner)
                if looks_sensitive(str(key))
                else self.mask_value(inner)
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.mask_value(inner) for inner in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and self.secrets:
            text = str(value)
            return value if self.mask(text) == text else STARS
        return value


def _hide(value: Any) -> Any:
    """Returns a value under a sensitive key with its content masked; its shape is kept."""
    if isinstance(value, dict):
        return {key: _hide(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hide(inner) for inner in value]
    return value if value is None or isinstance(value, bool) or value == "" else STARS


class _Search:
    """Searches for secrets: for short ones by one expression, for others in their usual spellings."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first, so that a secret that begins with another is not masked by half.
        fixed: set[str] = set()
        by_first: dict[str, list[str]] = {}
        budget = _MAX_EXPRESSION_CHARS
        for secret in sorted(secrets, key=len):
            fixed |= {form for form in spellings.whole(secret) if len(form) >= MIN_SECRET_CHARS}
            expression = spellings.pattern(secret)
            budget -= len(expression)
            if expression and budget >= 0:
                # Alternatives with the same beginning are grouped, and tried only at places with that beginning.
                first = secret[0] if secret[0].isalnum() and secret[0].isascii() else ""
                by_first.setdefault(first, []).insert(0, expression.removeprefix(first))
            else:
                fixed |= {form for form in spellings.forms(secret) if len(form) >= MIN_SECRET_CHARS}
        self._fixed = sorted(fixed, key=len, reverse=True)
        groups = [f"{first}(?:{'|'.join(rest)})" for first, rest in by_first.items()]
        self._pattern = re.compile("|".join(groups)) if groups else None

    def mask(self, text: str) -> str:
        for form in self._fixed:
            if form in text:
                text = text.replace(form, STARS)
        return self._pattern.sub(STARS, text) if self._pattern else text

    def spans(self, text: str) -> list[tuple[int, int]]:
        spans = [match.span() for match in self._pattern.finditer(text)] if self._pattern else []
        for form in self._fixed:
            at = text.find(form)
            while at >= 0:
                spans.append((at, at + len(form)))
                at = text.find(form, at + len(form))
        return spans
