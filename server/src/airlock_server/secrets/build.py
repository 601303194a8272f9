"""Makes the backends that ``[secrets]`` names; raises SettingsError, which never shows a value."""

import difflib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from airlock_server.secrets.backend import Backend, BackendFailed
from airlock_server.secrets.cache import Cache
from airlock_server.secrets.environment import Environment
from airlock_server.secrets.files import Files
from airlock_server.secrets.lookup import DATABASE, Secrets
from airlock_server.secrets.outside import NotABackend, Outside
from airlock_server.secrets.workers import Workers
from airlock_server.settings import SecretsSettings
from airlock_wire.process.settings import SettingsError

_NAMES = ("environment", "file", DATABASE)


def secrets_of(settings: SecretsSettings, environ: Mapping[str, str]) -> Secrets:
    """Returns the backends, ready to be asked."""
    if settings.timeout_seconds <= 0:
        raise SettingsError(f"[secrets] timeout_seconds is {settings.timeout_seconds:g}; it must be more than 0")
    backends = [_backend(name, settings, environ) for name in names_of(settings)]
    return Secrets(backends, Workers(settings.timeout_seconds), Cache(settings.cache_seconds, settings.cache_entries))


def setting_of_backends(settings: SecretsSettings, name: str) -> str | None:
    """
    Returns the value of a setting that is given as KEY_SECRET; None without a class, or if the class lacks the name.

    Only a class is asked: what the other backends have is for tasks, who may not read a setting.
    """
    for each in names_of(settings):
        if each not in _NAMES:
            backend = _outside(each, settings)
            try:
                return Workers(settings.timeout_seconds).call(partial(backend.setting, name))
            except Exception as e:  # noqa: BLE001 - whatever the class raises
                why = str(e) if isinstance(e, BackendFailed) else type(e).__name__
                raise SettingsError(f"[secrets] {each} failed when it was asked for a setting: {why}") from None
    return None


def names_of(settings: SecretsSettings) -> list[str]:
    """Returns the names in ``[secrets] backends``, in their order."""
    names = [name.strip() for name in settings.backends.split(",") if name.strip()]
    if not names:
        raise SettingsError("[secrets] backends is empty; the default is environment, database")
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"[secrets] backends names {name} twice")
        if name not in _NAMES and "." not in name:
            close = difflib.get_close_matches(name, _NAMES, n=1, cutoff=0.5)
            fix = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(_NAMES)}, and dotted paths"
            raise SettingsError(f"[secrets] backends: there is no backend {name!r}; {fix}")
    classes = [name for name in names if name not in _NAMES]
    if len(classes) > 1:
        raise SettingsError(
            f"[secrets] backends names several classes: {', '.join(classes)}; backend_kwargs is for one"
        )
    return names


def _backend(name: str, settings: SecretsSettings, environ: Mapping[str, str]) -> Backend | Literal["database"]:
    if name == "database":
        return DATABASE
    if name == "environment":
        return Environment(environ)
    if name == "file":
        return _files(settings)
    return _outside(name, settings)


def _files(settings: SecretsSettings) -> Files:
    if not settings.variables_file and not settings.connections_file:
        raise SettingsError("[secrets] backends names file: set variables_file or connections_file, or both")
    try:
        return Files(settings.variables_file, settings.connections_file)
    except BackendFailed as e:
        raise SettingsError(f"[secrets] {e}") from e


def _outside(path: str, settings: SecretsSettings) -> Outside:
    try:
        arguments: Any = json.loads(settings.backend_kwargs or "{}")
    except (ValueError, RecursionError):
        raise SettingsError("[secrets] backend_kwargs is not JSON") from None
    if not isinstance(arguments, dict):
        raise SettingsError("[secrets] backend_kwargs is not a JSON object")
    try:
        return Outside(path, arguments)
    except NotABackend as e:
        raise SettingsError(f"[secrets] backends: {e}") from e
