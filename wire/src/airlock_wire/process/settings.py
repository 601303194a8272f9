"""
Settings: one TOML file and ``AIRLOCK__SECTION__KEY`` in the environment, read once into a frozen struct of structs.

An unknown section or key is refused with the nearest known name: somebody would believe in a setting that is silently
ignored. The environment wins over the file. Plain ``AIRLOCK_*`` names (one underscore) are not settings, and are not
read here.

A setting that is marked ``SECRET`` may be given in three forms: its value, ``KEY_CMD``, a command that prints it, and
``KEY_SECRET``, the name of a secret that a secrets backend knows. No error shows the value of a marked setting.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

PREFIX = "AIRLOCK__"

Form = Literal["value", "cmd", "secret"]
_SUFFIXES: tuple[Form, ...] = ("cmd", "secret")

#: Marks a setting that is secret, or may hold a secret.
SECRET = msgspec.Meta(extra={"forms": _SUFFIXES})
#: The same for a setting of the secrets backends, which cannot be asked for it.
SECRET_BY_COMMAND = msgspec.Meta(extra={"forms": ("cmd",)})

T = TypeVar("T", bound=msgspec.Struct)


class SettingsError(ValueError):
    """A setting is unknown or has a value it cannot have. The text names where it came from and the fix."""


class Origin(NamedTuple):
    """Where a setting was given, in which form, and the name that it has there."""

    place: Literal["file", "environment"]
    form: Form
    name: str


#: Returns the value of a secret by its name, given the settings that are known so far; None if nobody has it.
Lookup = Callable[[T, str], str | None]
Origins = dict[tuple[str, str], Origin]

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


def load(kind: type[T], environ: Mapping[str, str], file: Path | None = None, lookup: Lookup[T] | None = None) -> T:
    """
    Returns the settings of ``kind``, a struct whose fields are sections, each a struct of settings.

    ``file`` may be absent. Environment values are text and converted to the field's type; raises SettingsError.
    """
    return read(kind, environ, file, lookup)[0]


def read(
    kind: type[T], environ: Mapping[str, str], file: Path | None = None, lookup: Lookup[T] | None = None
) -> tuple[T, Origins]:
    """Does the same, and returns beside the settings the origin of each that is not at its default."""
    given: dict[tuple[str, str], tuple[Origin, Any]] = {}
    if file is not None and file.exists():
        given |= _forms(kind, "file", _of_file(file))
    given |= _forms(kind, "environment", _of_environment(environ))

    raw: dict[str, dict[str, Any]] = {}
    for (section, key), (origin, value) in given.items():
        if origin.form != "secret":
            text = _printed(origin, value, environ) if origin.form == "cmd" else value
            raw.setdefault(section, {})[key] = _converted(kind, section, key, origin, text)
    for (section, key), (origin, value) in given.items():
        if origin.form == "secret":
            secret = None if lookup is None else lookup(msgspec.convert(raw, kind), str(value))
            if secret is None:
                raise SettingsError(f"{origin.name}: no secrets backend that can be asked for settings has this secret")
            raw.setdefault(section, {})[key] = _converted(kind, section, key, origin, secret)
    return msgspec.convert(raw, kind), {place: origin for place, (origin, _) in given.items()}


def field_of(kind: type[msgspec.Struct], section: str, key: str, source: str) -> msgspec.structs.FieldInfo:
    """Returns a setting's field; raises SettingsError with the nearest name, after ``source``."""
    keys = {field.encode_name: field for field in msgspec.structs.fields(_section(kind, section, source))}
    if key not in keys:
        names = [*keys, *(f"{name}_{form}" for name, field in keys.items() for form in forms_of(field))]
        raise SettingsError(f"{source}: no setting {key!r} in section {section!r}{_nearest(key, names)}")
    return keys[key]


def forms_of(field: msgspec.structs.FieldInfo) -> tuple[Form, ...]:
    """Returns the forms beside its value in which a setting may be given; any at all mark it as secret."""
    for mark in getattr(field.type, "__metadata__", ()):
        if isinstance(mark, msgspec.Meta) and mark.extra is not None and "forms" in mark.extra:
            forms: tuple[Form, ...] = mark.extra["forms"]
            return forms
    return ()


def _of_file(file: Path) -> Iterable[tuple[str, str, str, Any]]:
    """Yields the section, the key, the name for people and the value of each setting in a file."""
    for section, keys in _toml(file).items():
        if not isinstance(keys, dict):
            raise SettingsError(f"{file}: {section!r} is not a section; write [section] and settings below it")
        for key, value in keys.items():
            yield section, key, f"{file}: [{section}] {key}", value


def _of_environment(environ: Mapping[str, str]) -> Iterable[tuple[str, str, str, Any]]:
    for name, value in environ.items():
        if name.startswith(PREFIX):
            section, _, key = name.removeprefix(PREFIX).lower().partition("__")
            yield section, key, name, value


def _forms(
    kind: type[msgspec.Struct],
    place: Literal["file", "environment"],
    entries: Iterable[tuple[str, str, str, Any]],
) -> dict[tuple[str, str], tuple[Origin, Any]]:
    """Returns the settings that one place gives; a setting in two forms is refused."""
    given: dict[tuple[str, str], tuple[Origin, Any]] = {}
    for section, key, name, value in entries:
        setting, form = _form(kind, section, key, name)
        if (section, setting) in given:
            raise SettingsError(f"{given[section, setting][0].name} and {name} are one setting in two forms; keep one")
        given[section, setting] = Origin(place, form, name), value
    return given


def _form(kind: type[msgspec.Struct], section: str, key: str, name: str) -> tuple[str, Form]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(_section(kind, section, name))}
    if key not in fields:
        for form in _SUFFIXES:
            setting = key.removesuffix(f"_{form}")
            if setting != key and setting in fields:
                if form in forms_of(fields[setting]):
                    return setting, form
                raise SettingsError(f"{name}: {setting!r} in section {section!r} is given by its value only; write it")
    return field_of(kind, section, key, name).encode_name, "value"


def _converted(kind: type[msgspec.Struct], section: str, key: str, origin: Origin, value: Any) -> Any:
    field = field_of(kind, section, key, origin.name)
    try:
        return msgspec.convert(value, field.type, strict=False)
    except msgspec.ValidationError as e:
        if forms_of(field):
            raise SettingsError(f"{origin.name}: its value is not text") from None
        raise SettingsError(f"{origin.name}: {e}; it is {value!r}") from e


def _printed(origin: Origin, command: Any, environ: Mapping[str, str]) -> str:
    from airlock_wire.process import setting_command  # imported here: most processes have no such setting

    try:
        return setting_command.output(str(command), environ)
    except setting_command.CommandFailed as e:
        raise SettingsError(f"{origin.name}: {e}") from None


def _toml(file: Path) -> dict[str, Any]:
    import tomllib  # imported here: it costs milliseconds, and a sidecar has no file

    try:
        return tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
        raise SettingsError(f"{file}: {e}") from e


def _section(kind: type[msgspec.Struct], section: str, source: str) -> type[msgspec.Struct]:
    sections: dict[str, Any] = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    if section not in sections:
        raise SettingsError(f"{source}: no section {section!r}{_nearest(section, sections)}")
    of_kind: type[msgspec.Struct] = sections[section]
    return of_kind


def _nearest(name: str, choices: Iterable[str]) -> str:
    import difflib  # imported here: only an error needs it

    names = sorted(choices)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(names)}"
