"""
Settings: one TOML file and ``AIRLOCK__SECTION__KEY`` in the environment, read once into a frozen struct of structs.

An unknown section or key is refused with the nearest known name: somebody would believe in a setting that is silently
ignored. The environment wins over the file. Plain ``AIRLOCK_*`` names (one underscore) belong to tools and are not
read here.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

PREFIX = "AIRLOCK__"

T = TypeVar("T", bound=msgspec.Struct)


class SettingsError(ValueError):
    """A setting is unknown or has a value it cannot have. The text names where it came from and the fix."""


#: What a setting must be: its name, its value, whether that is fine, and the words after "it must".
Rule = tuple[str, object, object, str]


def require(prefix: str, *rules: Rule) -> None:
    """
    Raises SettingsError for the first rule that is not met; ``prefix`` stands before each name.

    A rule's third value is tested for truth, so it may be the value itself or a match.
    """
    for name, value, fine, must in rules:
        if not fine:
            raise SettingsError(f"{prefix}{name}: it must {must}; it is {value!r}")


def load(kind: type[T], environ: Mapping[str, str], file: Path | None = None) -> T:
    """
    Returns the settings of ``kind``, a struct whose fields are sections, each a struct of settings.

    ``file`` may be absent. Environment values are text and converted to the field's type; raises SettingsError.
    """
    raw: dict[str, dict[str, Any]] = {}
    sources: dict[tuple[str, str], str] = {}
    if file is not None and file.exists():
        for section, keys in _toml(file).items():
            if not isinstance(keys, dict):
                raise SettingsError(f"{file}: {section!r} is not a section; write [section] and settings below it")
            for key, value in keys.items():
                raw.setdefault(section, {})[key] = value
                sources[section, key] = f"{file}: [{section}] {key}"
    for name, value in environ.items():
        if name.startswith(PREFIX):
            section, _, key = name.removeprefix(PREFIX).lower().partition("__")
            raw.setdefault(section, {})[key] = value
            sources[section, key] = name
    for (section, key), source in sources.items():
        _known(kind, section, key, source)
        section_kind = next(field.type for field in msgspec.structs.fields(kind) if field.encode_name == section)
        field_type = next(f.type for f in msgspec.structs.fields(section_kind) if f.encode_name == key)
        try:
            raw[section][key] = msgspec.convert(raw[section][key], field_type, strict=False)
        except msgspec.ValidationError as e:
            raise SettingsError(f"{source}: {e}; it is {raw[section][key]!r}") from e
    return msgspec.convert(raw, kind)


def _toml(file: Path) -> dict[str, Any]:
    import tomllib  # imported here: it costs milliseconds, and a sidecar has no file

    try:
        return tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
        raise SettingsError(f"{file}: {e}") from e


def _known(kind: type[msgspec.Struct], section: str, key: str, source: str) -> None:
    sections = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    if section not in sections:
        raise SettingsError(f"{source}: no section {section!r}{_nearest(section, sections)}")
    keys = [field.encode_name for field in msgspec.structs.fields(sections[section])]
    if key not in keys:
        raise SettingsError(f"{source}: no setting {key!r} in section {section!r}{_nearest(key, keys)}")


def _nearest(name: str, choices: Iterable[str]) -> str:
    import difflib  # imported here: only an error needs it

    names = sorted(choices)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(names)}"
