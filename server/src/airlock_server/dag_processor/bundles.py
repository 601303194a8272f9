"""The bundles that the settings name, read."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from airlock_server.dag_processor.sources import image
from airlock_server.dag_processor.sources.fetching import Source
from airlock_server.dag_processor.sources.git import GitSource
from airlock_server.rules.parsing import BY_PATH
from airlock_wire.process.settings import SettingsError

DEFAULT = "dags-folder"
EXAMPLES = "examples"
_WHERE = "[dag_processor] dag_bundle_config_list"
#: A bundle's name is a folder's name too: of its logs.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,249}")


#: The kinds of bundles, and the arguments of each.
_ARGUMENTS = {
    "LocalDagBundle": ("path",),
    "GitDagBundle": ("repo_url", "tracking_ref", "subdir"),
    "ImageDagBundle": ("image", "subdir", "insecure"),
}
#: Those that are not texts.
_SWITCHES = ("insecure",)


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """
    A folder of DAG files. With a ``source`` it is fetched, and ``path`` is then where its versions are kept until its
    first version is there. Else it is a folder of this machine or a volume that is mounted, and has no version.
    """

    name: str
    path: Path
    source: Source | None = None
    version: str | None = None


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the setting."""

    name: str
    classpath: str = "LocalDagBundle"
    kwargs: dict[str, Any] = {}
    team_name: str | None = None


def with_examples(bundles: list[Bundle], folders: Iterable[Path]) -> list[Bundle]:
    """
    Returns the bundles and that of the examples, in the first of some folders that exists. Raises SettingsError where
    there is no such folder, or another bundle has the name.
    """
    if any(bundle.name == EXAMPLES for bundle in bundles):
        raise SettingsError(f"{_WHERE}: the name {EXAMPLES!r} is that of [core] load_examples: take another one")
    folder = next((path for path in folders if path.is_dir()), None)
    if folder is None:
        raise SettingsError("[core] load_examples: the examples are not installed here; set it to false")
    return [*bundles, Bundle(name=EXAMPLES, path=folder)]


def configured(setting: str, dags_folder: Path, storage: Path) -> list[Bundle]:
    """Returns the bundles. Raises SettingsError, which names the entry and the fix."""
    if not setting.strip():
        return [Bundle(name=DEFAULT, path=dags_folder)]
    try:
        entries = msgspec.json.decode(setting, type=list[_Entry])
    except msgspec.MsgspecError as e:
        raise SettingsError(f"{_WHERE} is not a JSON list of bundles: {e}") from e
    bundles: dict[str, Bundle] = {}
    for entry in entries:
        if not _NAME.fullmatch(entry.name) or entry.name == BY_PATH:
            raise SettingsError(
                f"{_WHERE}: {entry.name!a} cannot be a bundle's name: use letters, digits, '.', '_' and '-', and not "
                f"{BY_PATH!r}, which is that of files that are run by their path"
            )
        if entry.name in bundles:
            raise SettingsError(f"{_WHERE}: two bundles have the name {entry.name!r}")
        bundles[entry.name] = _bundle(entry, dags_folder, storage)
    return list(bundles.values())


def _bundle(entry: _Entry, dags_folder: Path, storage: Path) -> Bundle:
    kind = entry.classpath.rpartition(".")[2]
    if kind not in _ARGUMENTS:
        raise SettingsError(
            f"{_WHERE}: bundle {entry.name!r} is a {kind}, and only {', '.join(_ARGUMENTS)} are known here: mount "
            "its files, and name their folder"
        )
    # Airflow takes the time of a refresh for each bundle; here it is one setting.
    unknown = sorted(set(entry.kwargs) - {*_ARGUMENTS[kind], "refresh_interval", "prune_dotgit_folder"})
    if unknown:
        raise SettingsError(
            f"{_WHERE}: bundle {entry.name!r} has no argument {unknown[0]!r}; it has {', '.join(_ARGUMENTS[kind])}"
        )
    given = {name: entry.kwargs[name] for name in _ARGUMENTS[kind] if entry.kwargs.get(name)}
    for name, value in given.items():
        if name in _SWITCHES:
            if value is not True:
                raise SettingsError(f"{_WHERE}: {name} of bundle {entry.name!r} must be true or false")
            continue
        if not isinstance(value, str) or value.startswith("-") or "\0" in value:
            raise SettingsError(
                f"{_WHERE}: {name} of bundle {entry.name!r} must be a text that does not start with '-'"
            )
    if kind == "LocalDagBundle":
        return Bundle(name=entry.name, path=Path(given["path"]) if "path" in given else dags_folder)
    return Bundle(name=entry.name, path=storage / entry.name, source=_source(kind, entry.name, given))


def _source(kind: str, name: str, given: dict[str, Any]) -> Source:
    if kind == "GitDagBundle":
        if not {"repo_url", "tracking_ref"} <= set(given):
            raise SettingsError(f"{_WHERE}: bundle {name!r} needs repo_url and tracking_ref")
        return GitSource(**given)
    if not image.is_reference(given.get("image", "")):
        raise SettingsError(
            f"{_WHERE}: bundle {name!r} needs image with its registry and its tag or digest, as "
            "'registry.example/team/dags:main'"
        )
    return image.ImageSource(**given)
