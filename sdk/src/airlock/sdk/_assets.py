"""
Assets: data that tasks read and write, named so that tasks and DAGs can wait for it and keep state for it.

Imported at the first use: a launch without assets does not pay for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Any, Final, overload

from airlock.sdk.exceptions import AirlockException
from airlock_wire.assets import DeclaredAsset, problem

#: Names that Airflow gives a meaning of its own where assets are the arguments of a function.
_RESERVED: Final = ("self", "context")


class BaseAsset:
    """What can be an inlet or outlet, or be combined with ``&`` and ``|``."""

    def __and__(self, other: object) -> "AssetAll":
        """Returns the condition that both were written."""
        return AssetAll(self, other) if isinstance(other, BaseAsset) else NotImplemented

    def __or__(self, other: object) -> "AssetAny":
        """Returns the condition that one of both was written."""
        return AssetAny(self, other) if isinstance(other, BaseAsset) else NotImplemented

    def _key(self) -> tuple[str, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """Tells whether both are of one kind and have the same name and URI."""
        return type(self) is type(other) and isinstance(other, BaseAsset) and self._key() == other._key()

    def __hash__(self) -> int:
        """Returns a hash of the kind, the name and the URI."""
        return hash((type(self).__name__, self._key()))

    def __repr__(self) -> str:
        """Returns the kind with its names."""
        return f"{type(self).__name__}({', '.join(map(repr, self._key()))})"


class Asset(BaseAsset, PathLike[str]):
    """
    Data with a name and a URI, which fill in for each other. ``extra`` is a JSON object, ``group`` a word for people.

    The scheme of the URI is made lower case; a password, a fragment and a slash at its end are taken off, and its query
    is sorted. So two spellings of one URI are one asset, and the same one as in Airflow.
    """

    @overload
    def __init__(
        self, name: str, uri: str = "", *, group: str = "asset", extra: Mapping[str, Any] | None = None
    ) -> None: ...
    @overload
    def __init__(self, *, uri: str, group: str = "asset", extra: Mapping[str, Any] | None = None) -> None: ...
    def __init__(
        self, name: str = "", uri: str = "", *, group: str = "asset", extra: Mapping[str, Any] | None = None
    ) -> None:
        """Raises TypeError or ValueError for a name or URI that an asset cannot have."""
        for field, value in (("name", name), ("uri", uri), ("group", group)):
            if not isinstance(value, str):
                raise TypeError(f"Asset: {field} must be text, not {type(value).__name__}: {value!r}")
        if extra is not None and not isinstance(extra, Mapping):
            raise TypeError(f"Asset: extra must be a dict, not {type(extra).__name__}: {extra!r}")
        if name in _RESERVED:
            raise ValueError(f"Asset: the name {name!r} has a meaning of its own; choose another")
        self.name = name or uri
        self.uri: str = _normal(uri or name)
        self.group = group
        self.extra = dict(extra or {})
        _check(self)

    @overload
    @staticmethod
    def ref(*, name: str) -> "AssetNameRef": ...
    @overload
    @staticmethod
    def ref(*, uri: str) -> "AssetUriRef": ...
    @staticmethod
    def ref(*, name: str = "", uri: str = "") -> "AssetRef":
        """Returns a reference to whichever asset has this name, or this URI."""
        if bool(name) == bool(uri):
            raise TypeError("Asset.ref() takes a name or a uri, and one of them alone")
        return AssetNameRef(name) if name else AssetUriRef(uri)

    def __fspath__(self) -> str:
        """Returns the URI."""
        return self.uri

    def _key(self) -> tuple[str, ...]:
        return (self.name, self.uri)


class AssetRef(BaseAsset):
    """A reference to an asset that another DAG declares."""


class AssetNameRef(AssetRef):
    """Whichever asset has the name."""

    def __init__(self, name: str) -> None:
        """Raises ValueError for a name that an asset cannot have."""
        self.name = name
        _check(self)

    def _key(self) -> tuple[str, ...]:
        return (self.name,)


class AssetUriRef(AssetRef):
    """Whichever asset has the URI."""

    def __init__(self, uri: str) -> None:
        """Raises ValueError for a URI that an asset cannot have."""
        self.uri = _normal(uri)
        _check(self)

    def _key(self) -> tuple[str, ...]:
        return (self.uri,)


class AssetAlias(BaseAsset):
    """A name that tasks give assets to while they run: ``outlet_events[alias].add(asset)``."""

    def __init__(self, name: str, *, group: str = "asset") -> None:
        """Raises ValueError for a name that an alias cannot have."""
        self.name = name
        self.group = group
        _check(self)

    def _key(self) -> tuple[str, ...]:
        return (self.name,)


class _Condition(BaseAsset):
    def __init__(self, *objects: BaseAsset) -> None:
        for each in objects:
            if not isinstance(each, BaseAsset):
                raise TypeError(f"{type(self).__name__} takes assets, not {type(each).__name__}: {each!r}")
        self.objects = objects

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, _Condition) and self.objects == other.objects

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.objects))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.objects))})"


class AssetAny(_Condition):
    """The condition that one of several assets was written: ``a | b``. As inlets or outlets it is all of them."""


class AssetAll(_Condition):
    """The condition that each of several assets was written: ``a & b``. As inlets or outlets it is all of them."""


class Metadata:
    """
    What a task that is a generator says of an outlet: ``yield Metadata(asset, {"rows": 3})``. With ``alias`` the asset
    is given to that alias.
    """

    def __init__(
        self, asset: BaseAsset, extra: Mapping[str, Any] | None = None, alias: AssetAlias | None = None
    ) -> None:
        """``asset`` is an Asset or a reference to one."""
        self.asset = asset
        self.extra = dict(extra or {})
        self.alias = alias


class InactiveAsset(AirlockException):
    """An inlet or outlet of the task is not active: another asset has its name or its URI. The text names it."""


def checked(value: Any, place: str) -> tuple[BaseAsset, ...]:
    """Returns inlets or outlets as an author wrote them, one by one; raises TypeError for anything else."""
    return tuple(dict.fromkeys(_each(value, place)))


def _each(value: Any, place: str) -> Iterator[BaseAsset]:
    if isinstance(value, _Condition):
        yield from _each(value.objects, place)
    elif isinstance(value, BaseAsset):
        yield value
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        for each in value:
            yield from _each(each, place)
    else:
        raise TypeError(f"{place} must be an Asset, an AssetAlias or a list of them, not {value!r}")


def declaration(asset: BaseAsset) -> DeclaredAsset:
    """Returns an inlet or outlet as plain data."""
    match asset:
        case Asset():
            return DeclaredAsset(name=asset.name, uri=asset.uri, group=asset.group, extra=asset.extra)
        case AssetNameRef():
            return DeclaredAsset(type="AssetNameRef", name=asset.name)
        case AssetUriRef():
            return DeclaredAsset(type="AssetUriRef", uri=asset.uri)
        case AssetAlias():
            return DeclaredAsset(type="AssetAlias", name=asset.name, group=asset.group)
        case _:
            raise TypeError(f"{asset!r} is not one asset")


def _check(asset: BaseAsset) -> None:
    for text in asset._key():  # noqa: SLF001 - of this module
        if not isinstance(text, str):
            raise TypeError(f"{type(asset).__name__}: a name or URI must be text, not {text!r}")
    if wrong := problem(declaration(asset)):
        raise ValueError(wrong)


def _normal(uri: Any) -> Any:
    """Returns a URI in the spelling by which it is known. What does not look like a URI stays as it is."""
    if not isinstance(uri, str) or (":" not in uri and not uri.startswith("//")):
        return uri
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit  # deferred: costs milliseconds

    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    if not scheme or scheme.startswith("x-"):
        return uri
    if scheme == "airflow":
        raise ValueError(f"Asset: the scheme of {uri!r} is reserved; choose another")
    netloc = parts.netloc.rpartition("@")[2] if parts.password else parts.netloc
    query = urlencode(sorted(parse_qsl(parts.query))) if parts.query else ""
    return urlunsplit((scheme, netloc, parts.path.rstrip("/") or "/", query, ""))
