"""Assets: data with a name and a URI."""

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

from airlock.sdk.definitions.asset.conditions import BaseAsset
from airlock.sdk.definitions.asset.identifiers import checked, checked_name
from airlock.sdk.definitions.asset.refs import AssetNameRef, AssetRef, AssetUriRef
from airlock.sdk.definitions.asset.uri import normal, scheme_of

if TYPE_CHECKING:
    from airlock.sdk.definitions.asset.access_control import AssetAccessControl
    from airlock.sdk.definitions.asset.watcher import AssetWatcher


class Asset(BaseAsset, PathLike[str]):
    """
    Data with a name and a URI, which fill in for each other. ``extra`` is a JSON object, ``group`` a word for people.

    ``watchers`` are triggers whose events become events of the asset. ``access_control`` says which teams use it. The
    URI is kept in one spelling (``uri.normal``).
    """

    asset_type: ClassVar[str] = "asset"
    __version__: ClassVar[int] = 1

    @overload
    def __init__(
        self,
        name: str,
        uri: "str | PathLike[str] | None" = None,
        *,
        group: str | None = None,
        extra: Mapping[str, Any] | None = None,
        watchers: "Iterable[AssetWatcher] | None" = None,
        access_control: "AssetAccessControl | None" = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        *,
        uri: "str | PathLike[str]",
        group: str | None = None,
        extra: Mapping[str, Any] | None = None,
        watchers: "Iterable[AssetWatcher] | None" = None,
        access_control: "AssetAccessControl | None" = None,
    ) -> None: ...
    def __init__(
        self,
        name: str | None = None,
        uri: "str | PathLike[str] | None" = None,
        *,
        group: str | None = None,
        extra: Mapping[str, Any] | None = None,
        watchers: "Iterable[AssetWatcher] | None" = None,
        access_control: "AssetAccessControl | None" = None,
    ) -> None:
        """Raises TypeError or ValueError, naming the field, for a value that an asset cannot have."""
        if name is None and uri is None:
            raise TypeError("Asset() needs a name or a uri, and got neither")
        kind = type(self).__name__
        self.name = checked_name(str(uri) if name is None else name, kind)
        self.uri = checked(normal(str(self.name if uri is None else uri)), kind, "uri")
        self.group = self.asset_type if group is None else group
        if not isinstance(self.group, str):
            raise ValueError(f"{kind}: the group must be text, not {type(group).__name__}: {group!r}")
        if extra is not None and not isinstance(extra, Mapping):
            raise TypeError(f"{kind}: extra must be a dict, not {type(extra).__name__}: {extra!r}")
        self.extra = dict(extra or {})
        self.watchers = list(watchers or [])
        self._access_control = access_control

    @property
    def access_control(self) -> "AssetAccessControl":
        """Which teams may write the asset and be scheduled by it; everyone unless given."""
        if self._access_control is None:
            from airlock.sdk.definitions.asset.access_control import AssetAccessControl  # deferred: few assets have it

            self._access_control = AssetAccessControl()
        return self._access_control

    @overload
    @staticmethod
    def ref(*, name: str) -> AssetNameRef: ...
    @overload
    @staticmethod
    def ref(*, uri: str) -> AssetUriRef: ...
    @staticmethod
    def ref(*, name: str = "", uri: str = "") -> AssetRef:
        """Returns a reference to whichever asset has this name, or this URI."""
        if bool(name) == bool(uri):
            raise TypeError("Asset.ref() takes a name or a uri, and one of them alone")
        return AssetNameRef(name) if name else AssetUriRef(uri)

    @property
    def normalized_uri(self) -> str | None:
        """
        The URI, if Airflow's standard knows how its scheme is spelt; None otherwise.

        Providers of Airflow add schemes. Without them ``file`` is the one that is known.
        """
        return self.uri if scheme_of(self.uri) == "file" else None

    def serialize(self) -> dict[str, Any]:
        """Returns the fields, as Airflow writes them."""
        return {
            "name": self.name,
            "uri": self.uri,
            "group": self.group,
            "extra": self.extra,
            "watchers": self.watchers,
            "access_control": self.access_control,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:
        """Returns the asset of these fields; raises TypeError for those of a newer version."""
        if version > cls.__version__:
            raise TypeError(f"an asset of version {version} is newer than version {cls.__version__}")
        return cls(**data)

    def __fspath__(self) -> str:
        """Returns the URI."""
        return self.uri

    def _key(self) -> tuple[str, ...]:
        return (self.name, self.uri)


class Dataset(Asset):
    """An asset whose group is ``dataset`` unless given."""

    asset_type: ClassVar[str] = "dataset"


class Model(Asset):
    """An asset whose group is ``model`` unless given."""

    asset_type: ClassVar[str] = "model"
