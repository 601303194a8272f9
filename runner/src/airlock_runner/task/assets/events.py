"""``context["outlet_events"]`` and ``["inlet_events"]``: what a task says of its outlets, and reads of its inlets."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self, overload

from airlock.sdk import _channel
from airlock.sdk.definitions.asset import Asset, AssetAlias, AssetNameRef, AssetRef, AssetUriRef, BaseAsset
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.exceptions import AirlockRuntimeError, ChannelError
from airlock_wire.protocol import lookups
from airlock_wire.protocol.messages import ErrorResponse, ErrorType

_MAX_PARTITION_KEY_CHARS: Final = 250


class OutletEvent:
    """What a task says of one outlet: ``extra`` is a JSON object."""

    def __init__(self, key: tuple[str, ...]) -> None:
        """``key`` is the asset's name and URI, or the alias's name alone."""
        self._key = key
        self.extra: dict[str, Any] = {}
        self.partition_keys: set[str] = set()
        self._given: list[dict[str, Any]] = []

    def add(self, asset: Asset | AssetRef, extra: Mapping[str, Any] | None = None) -> None:
        """Gives an asset to this alias, and says that it was written. Raises TypeError if the outlet is an asset."""
        if len(self._key) != 1:
            raise TypeError("outlet_events[...].add() gives an asset to an AssetAlias; an asset has .extra")
        name, uri, asset_extra = _resolved(asset)
        self._given.append(
            {
                "source_alias_name": self._key[0],
                "dest_asset_key": {"name": name, "uri": uri},
                "dest_asset_extra": asset_extra,
                "extra": dict(extra or {}),
            }
        )

    def add_partitions(self, keys: str | Sequence[str]) -> None:
        """Says which partitions were written: each has its own event. Raises ValueError for a blank or long key."""
        if len(self._key) == 1:
            raise TypeError("outlet_events[...].add_partitions() is for an asset, not for an AssetAlias")
        for key in [keys] if isinstance(keys, str) else keys:
            if not isinstance(key, str) or not key.strip() or len(key) > _MAX_PARTITION_KEY_CHARS:
                raise ValueError(
                    f"a partition key is text of 1 to {_MAX_PARTITION_KEY_CHARS} characters and not blank: {key!r:.300}"
                )
            self.partition_keys.add(key)

    def as_wire(self) -> list[dict[str, Any]]:
        """Returns the events for the report of the success."""
        if len(self._key) == 1:
            return self._given
        event = {"dest_asset_key": {"name": self._key[0], "uri": self._key[1]}, "extra": self.extra}
        if not self.partition_keys:
            return [event]
        return [{**event, "partition_key": key} for key in sorted(self.partition_keys)]


class _ByName:
    """The same by words, for a template: ``inlet_events.for_asset(name="orders")``."""

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> Any:
        """Returns the events of an asset; raises ValueError without a name and a URI."""
        if name and uri:
            return self[Asset(name=name, uri=uri)]
        if name:
            return self[Asset.ref(name=name)]
        if uri:
            return self[Asset.ref(uri=uri)]
        raise ValueError("for_asset() takes the asset's name, its uri, or both")

    def for_asset_alias(self, *, name: str) -> Any:
        """Returns the events of an alias."""
        return self[AssetAlias(name=name)]

    def __getitem__(self, asset: Any) -> Any:
        """Returns the events of an asset, a reference to one, or an alias."""
        raise NotImplementedError


class OutletEvents(_ByName):
    """``outlet_events[asset].extra`` and ``outlet_events[alias].add(asset)``."""

    def __init__(self) -> None:
        """Has nothing to say yet."""
        self._events: dict[tuple[str, ...], OutletEvent] = {}

    def __getitem__(self, asset: BaseAsset) -> OutletEvent:
        """Returns what is said of an asset or alias; a reference stands for the asset that the server has."""
        match asset:
            case AssetAlias():
                key: tuple[str, ...] = (asset.name,)
            case Asset() | AssetRef():
                key = _resolved(asset)[:2]
            case _:
                raise _odd(asset, "outlet_events")
        return self._events.setdefault(key, OutletEvent(key))

    def as_wire(self) -> list[dict[str, Any]]:
        """Returns the events for the report of the success."""
        return [event for each in self._events.values() for event in each.as_wire()]


class EventAsset:
    """The asset of an event."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        """Takes the server's map."""
        self.name: str = fields["name"]
        self.uri: str = fields["uri"]
        self.group: str = fields.get("group") or ""
        self.extra: dict[str, Any] = fields.get("extra") or {}


class AssetEvent:
    """One time that an asset was written. ``source_`` fields are the task instance that wrote it."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        """Takes the server's map."""
        self.id: int = fields["id"]
        self.timestamp = _moment(fields["timestamp"])
        self.extra: dict[str, Any] = fields.get("extra") or {}
        self.asset = EventAsset(fields["asset"])
        self.source_dag_id: str | None = fields.get("source_dag_id")
        self.source_run_id: str | None = fields.get("source_run_id")
        self.source_task_id: str | None = fields.get("source_task_id")
        self.source_map_index: int | None = fields.get("source_map_index")
        self.partition_key: str | None = fields.get("partition_key")

    def __repr__(self) -> str:
        """Returns the asset and the time."""
        return f"<AssetEvent {self.asset.name} {self.timestamp.isoformat()}>"


class Events(Sequence[AssetEvent]):
    """
    The events of one inlet, asked for at their first use: ``inlet_events[ORDERS].after(day).limit(5)``. Each of the
    four calls narrows the events and returns them.
    """

    def __init__(self, name: str = "", uri: str = "", alias: str = "") -> None:
        """By the asset's name, its URI or both, or by an alias."""
        self._name, self._uri, self._alias = name, uri, alias
        self._window: dict[str, Any] = {}
        self._loaded: list[AssetEvent] | None = None

    def after(self, moment: datetime | str) -> Self:
        """Leaves out the events before this time."""
        return self._with(after=_moment(moment))

    def before(self, moment: datetime | str) -> Self:
        """Leaves out the events after this time."""
        return self._with(before=_moment(moment))

    def ascending(self, ascending: bool = True) -> Self:  # noqa: FBT001, FBT002 - Airflow's signature
        """Puts the oldest event first, or the newest."""
        return self._with(ascending=ascending)

    def limit(self, limit: int) -> Self:
        """Leaves out all but the first events."""
        return self._with(limit=limit)

    def _with(self, **window: Any) -> Self:
        self._window |= window
        self._loaded = None
        return self

    def _events(self) -> list[AssetEvent]:
        if self._loaded is None:
            message: Any = (
                lookups.GetAssetEventByAssetAlias(alias_name=self._alias, **self._window)
                if self._alias
                else lookups.GetAssetEventByAsset(name=self._name or None, uri=self._uri or None, **self._window)
            )
            answer = _answer(message, f"inlet_events[{self._alias or self._name or self._uri!r}]")
            self._loaded = [AssetEvent(each) for each in answer.asset_events]
        return self._loaded

    @overload
    def __getitem__(self, index: int) -> AssetEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[AssetEvent]: ...
    def __getitem__(self, index: int | slice) -> AssetEvent | list[AssetEvent]:
        """Returns an event, or some of them."""
        return self._events()[index]

    def __len__(self) -> int:
        """Returns the number of events."""
        return len(self._events())


class InletEvents(_ByName):
    """``inlet_events[asset]``, by the asset, a reference, an alias, or the place among the task's inlets."""

    def __init__(self, inlets: tuple[BaseAsset, ...]) -> None:
        """Asks nothing yet."""
        self._inlets = inlets

    def __getitem__(self, asset: BaseAsset | int) -> Events:
        """Returns the events of an inlet; raises KeyError for an asset that the task does not read."""
        each = self._inlets[asset] if isinstance(asset, int) else asset
        if not any(_are_one(each, inlet) for inlet in self._inlets):
            raise KeyError(f"{each!r} is not among this task's inlets")
        match each:
            case Asset():
                return Events(each.name, each.uri)
            case AssetNameRef():
                return Events(name=each.name)
            case AssetUriRef():
                return Events(uri=each.uri)
            case AssetAlias():
                return Events(alias=each.name)
            case _:
                raise _odd(each, "inlet_events")

    def __iter__(self) -> Iterator[BaseAsset]:
        """Goes through the inlets."""
        return iter(self._inlets)

    def __len__(self) -> int:
        """Returns the number of inlets."""
        return len(self._inlets)


def _are_one(asset: BaseAsset, inlet: BaseAsset) -> bool:
    """Tells whether an inlet is what a task asks for: a reference stands for the asset that it names."""
    match asset, inlet:
        case (Asset(), Asset()):
            return (asset.name, asset.uri) == (inlet.name, inlet.uri)
        case (AssetNameRef(), Asset()):
            return asset.name == inlet.name
        case (AssetUriRef(), Asset()):
            return asset.uri == inlet.uri
        case _:
            return asset == inlet


def _resolved(asset: BaseAsset) -> tuple[str, str, dict[str, Any]]:
    """Returns name, URI and extras of an asset; asks the server for the asset of a reference."""
    match asset:
        case Asset():
            return asset.name, asset.uri, asset.extra
        case AssetNameRef():
            answer = _answer(lookups.GetAssetByName(name=asset.name), f"the look for {asset!r}")
        case AssetUriRef():
            answer = _answer(lookups.GetAssetByUri(uri=asset.uri), f"the look for {asset!r}")
        case _:
            raise _odd(asset, "outlet_events")
    return answer.name, answer.uri, answer.extra or {}


def _answer(message: Any, call: str) -> Any:
    answer = _channel.ask(message, call)
    if isinstance(answer, ErrorResponse):
        if answer.error is ErrorType.ASSET_NOT_FOUND:
            raise AirlockRuntimeError(answer, f"{call}: there is no such asset; a task has to declare it first")
        raise refusal(answer, call)
    if not isinstance(answer, lookups.AssetResult | lookups.AssetEventsResult):
        raise ChannelError(f"{call} was answered with {type(answer).__name__}")
    return answer


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _odd(asset: object, place: str) -> TypeError:
    return TypeError(f"{place}[...] takes an Asset, a reference to one or an AssetAlias, not {asset!r}")
