"""
Masks credentials in the output of the container that fetches a bundle. Standard library of Python 3.10 only. Pure.

The container's environment has the credential, and libraries quote addresses and settings when they fail. The output
is the container's log, and its last line becomes the TaskRun's message. Both are read by people who may not have the
credential.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_MASK = "***"
#: A shorter value is not masked: it would hide ordinary words in every line.
_SHORTEST = 5
#: A login of this length is taken for a token: some hosts take it there.
_TOKEN_LIKE = 20
_SENSITIVE = re.compile(
    r"PASS|SECRET|TOKEN|PRIVATE|CREDENTIAL|AUTH|API_?KEY|ACCESS_?KEY|KEYFILE|ACCOUNT_KEY", re.IGNORECASE
)
#: User and password of an address, whatever they are.
_USERINFO = re.compile(r"(?<=://)[^/\s'\"]*@")


def masker(environ: Mapping[str, str]) -> Callable[[str], str]:
    """
    Returns a function that makes a line safe to show: it masks the environment's secrets, and user and password of any
    address.
    """
    forms = {form for each in secrets(environ) for form in (each, quote(each, safe=""))}
    pattern = re.compile("|".join(re.escape(each) for each in sorted(forms, key=len, reverse=True)) or r"(?!)")

    def masked(line: str) -> str:
        return _USERINFO.sub(f"{_MASK}@", pattern.sub(_MASK, line))

    return masked


def secrets(environ: Mapping[str, str]) -> set[str]:
    """
    Returns the secrets in an environment: in Airflow's connections, and in variables whose name says that they hold
    one.
    """
    values: set[str] = set()
    for name, value in environ.items():
        if name.startswith("AIRFLOW_CONN_") or _SENSITIVE.search(name):
            values.add(value)
            values |= set(_within(value))
    # A key has many lines, and each may be quoted alone.
    lines = {line.strip() for each in values for line in (each, *each.splitlines())}
    return {line for line in lines if len(line) >= _SHORTEST}


def _within(value: str) -> Iterator[str]:
    """Yields the secrets in a connection, which is a JSON object or an address."""
    if value.lstrip().startswith("{"):
        try:
            yield from _leaves("", json.loads(value))
        except ValueError:
            return
    elif "://" in value:
        try:
            parts = urlsplit(value)
            login, password = parts.username or "", parts.password or ""
        except ValueError:
            return
        yield from (password, unquote(password))
        if len(login) >= _TOKEN_LIKE:
            yield from (login, unquote(login))
        for name, text in parse_qsl(parts.query):
            yield from _leaves(name, text)


def _leaves(name: str, value: Any) -> Iterator[str]:
    """Yields the texts below sensitive names. ``extra`` may be an object or its text, as Airflow allows both."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(key if not _SENSITIVE.search(name) else name, each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(name, each)
    elif isinstance(value, str):
        if _SENSITIVE.search(name) or (name == "login" and len(value) >= _TOKEN_LIKE):
            yield value
        if value.lstrip().startswith("{"):
            try:
                yield from _leaves(name, json.loads(value))
            except ValueError:
                return
