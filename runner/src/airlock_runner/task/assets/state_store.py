"""``context["asset_state_store"]``: what tasks keep for an asset (AIP-103)."""

from collections.abc import Callable
from typing import Any, Final

from airlock.sdk import _channel
from airlock.sdk.definitions.asset import Asset, AssetAlias, AssetNameRef, AssetUriRef, BaseAsset
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.exceptions import ChannelError
from airlock_runner.task.stores.state_backend import AssetScope
from airlock_runner.task.stores.state_store import StoreSettings, ask, backend_of, checked, storable, warn_of_large
from airlock_wire.protocol import lookups, stores
from airlock_wire.protocol.messages import ErrorResponse, ErrorType

_NAME: Final = "asset_state_store"


class _Awaited:
    """The four calls for tasks that run an event loop: each waits for its answer in a thread."""

    async def aget(self, key: str, default: Any = None) -> Any:
        """Returns what ``get`` does."""
        return await _in_thread(self.get, key, default)

    async def aset(self, key: str, value: Any) -> None:
        """Does what ``set`` does."""
        await _in_thread(self.set, key, value)

    async def adelete(self, key: str) -> None:
        """Does what ``delete`` does."""
        await _in_thread(self.delete, key)

    async def aclear(self) -> None:
        """Does what ``clear`` does."""
        await _in_thread(self.clear)

    def get(self, key: str, default: Any = None) -> Any:
        """Returns the value of ``key``; ``default`` if nothing is kept."""
        raise NotImplementedError

    def set(self, key: str, value: Any) -> None:
        """Keeps a value."""
        raise NotImplementedError

    def delete(self, key: str) -> None:
        """Forgets the value of ``key``, if there is one."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forgets all values."""
        raise NotImplementedError


async def _in_thread(call: Callable[..., Any], *args: Any) -> Any:
    import asyncio  # deferred: a task without an event loop does not pay for it

    return await asyncio.to_thread(call, *args)


class AssetStateStore(_Awaited):
    """The values of one asset. They do not expire, and every task that has the asset shares them."""

    def __init__(self, settings: StoreSettings, *, name: str = "", uri: str = "") -> None:
        """Takes the asset's name or its URI."""
        self._settings = settings
        self._name, self._uri = name, uri
        self._scope = AssetScope(name=name or None, uri=uri or None)

    def get(self, key: str, default: Any = None) -> Any:
        """Returns the value of ``key``; ``default`` if nothing is kept."""
        key = checked(key, _NAME)
        message = (
            stores.GetAssetStateStoreByName(name=self._name, key=key)
            if self._name
            else stores.GetAssetStateStoreByUri(uri=self._uri, key=key)
        )
        call = f"get({key!r})"
        answer = self._ask(message, call)
        if isinstance(answer, ErrorResponse):
            return default
        if not isinstance(answer, stores.AssetStateStoreResult):
            raise ChannelError(f"{_NAME}.{call} was answered with {type(answer).__name__}")
        backend = backend_of(self._settings)
        return answer.value if backend is None else backend.value_of_asset(answer.value)

    def set(self, key: str, value: Any) -> None:
        """Keeps ``value``, which must be JSON and not None."""
        what = f"the value of {_NAME}.set({key!r})"
        content = storable(value, what)
        key = checked(key, _NAME)
        if (backend := backend_of(self._settings)) is not None:
            content = backend.keep_for_asset(self._scope, key, content)
        warn_of_large(content, what, self._settings)
        message = (
            stores.SetAssetStateStoreByName(name=self._name, key=key, value=content)
            if self._name
            else stores.SetAssetStateStoreByUri(uri=self._uri, key=key, value=content)
        )
        self._ask(message, f"set({key!r})")

    def delete(self, key: str) -> None:
        """Forgets the value of ``key``, if there is one."""
        key = checked(key, _NAME)
        message = (
            stores.DeleteAssetStateStoreByName(name=self._name, key=key)
            if self._name
            else stores.DeleteAssetStateStoreByUri(uri=self._uri, key=key)
        )
        self._ask(message, f"delete({key!r})")
        if (backend := backend_of(self._settings)) is not None:
            backend.delete_of_asset(self._scope, key)

    def clear(self) -> None:
        """Forgets all values of the asset."""
        message = (
            stores.ClearAssetStateStoreByName(name=self._name)
            if self._name
            else stores.ClearAssetStateStoreByUri(uri=self._uri)
        )
        self._ask(message, "clear()")
        if (backend := backend_of(self._settings)) is not None:
            backend.clear_of_asset(self._scope)

    def _ask(self, message: Any, call: str) -> Any:
        return ask(message, f"{_NAME}[{self._name or self._uri!r}].{call}", ErrorType.ASSET_STORE_NOT_FOUND)

    def __repr__(self) -> str:
        """Returns the asset's name or URI."""
        return f"<AssetStateStore {self._name or self._uri}>"


class AssetStateStores(_Awaited):
    """
    The stores of a task's inlets and outlets, by asset: ``asset_state_store[ORDERS]``.

    A task with one of them calls ``get``, ``set``, ``delete`` and ``clear`` without an index. An inlet that is an alias
    stands for the assets that it has as the task starts. An outlet that is an alias has no store: it is there to give
    assets to.
    """

    def __init__(self, inlets: tuple[BaseAsset, ...], outlets: tuple[BaseAsset, ...], settings: StoreSettings) -> None:
        """Asks the server for the assets of aliases among the inlets."""
        self._settings = settings
        self._by_name: dict[str, AssetStateStore] = {}
        self._by_uri: dict[str, AssetStateStore] = {}
        self._of_alias: dict[str, list[str]] = {}
        for each in inlets:
            if isinstance(each, AssetAlias):
                self._of_alias[each.name] = [self._named(name) for name in _assets_of(each)]
            else:
                self._add(each)
        for each in outlets:
            self._add(each)

    def __getitem__(self, asset: BaseAsset) -> AssetStateStore:
        """Returns the store of one of the task's assets; raises KeyError or ValueError for another key."""
        store: AssetStateStore | None = None
        match asset:
            case Asset() | AssetNameRef():
                store = self._by_name.get(asset.name)
                if store is None and isinstance(asset, Asset):
                    store = self._by_uri.get(asset.uri)
            case AssetUriRef():
                store = self._by_uri.get(asset.uri)
            case AssetAlias() if asset.name in self._of_alias:
                names = self._of_alias[asset.name]
                if len(names) != 1:
                    raise ValueError(f"alias {asset.name!r} has {len(names)} assets{_listed(names)}; name one of them")
                return self._by_name[names[0]]
            case AssetAlias():
                pass
            case _:
                raise TypeError(f"{_NAME}[...] takes an Asset, a reference to one or an AssetAlias, not {asset!r}")
        if store is None:
            raise KeyError(f"{asset!r} is not among this task's inlets and outlets{_listed(self._names())}")
        return store

    def get(self, key: str, default: Any = None) -> Any:
        """Returns the value of ``key`` of the task's only asset; ``default`` if nothing is kept."""
        return self._only("get").get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Keeps a value for the task's only asset."""
        self._only("set").set(key, value)

    def delete(self, key: str) -> None:
        """Forgets a value of the task's only asset."""
        self._only("delete").delete(key)

    def clear(self) -> None:
        """Forgets all values of the task's only asset."""
        self._only("clear").clear()

    def _only(self, call: str) -> AssetStateStore:
        if len(names := self._names()) != 1:
            raise ValueError(
                f"{_NAME}.{call}() is for a task with one asset, and this one has {len(names)}{_listed(names)}; say "
                f"which: {_NAME}[ASSET].{call}(...)"
            )
        return next(iter((*self._by_name.values(), *self._by_uri.values())))

    def _names(self) -> list[str]:
        return [*self._by_name, *self._by_uri]

    def _named(self, name: str) -> str:
        self._by_name.setdefault(name, AssetStateStore(self._settings, name=name))
        return name

    def _add(self, asset: BaseAsset) -> None:
        if isinstance(asset, Asset | AssetNameRef):
            self._named(asset.name)
        elif isinstance(asset, AssetUriRef):
            self._by_uri.setdefault(asset.uri, AssetStateStore(self._settings, uri=asset.uri))

    def __repr__(self) -> str:
        """Returns the names and URIs of the assets."""
        return f"<AssetStateStores {self._names()}>"


def _assets_of(alias: AssetAlias) -> list[str]:
    call = f"the look for the assets of alias {alias.name!r}"
    answer = _channel.ask(lookups.GetAssetsByAlias(alias_name=alias.name), call)
    if isinstance(answer, ErrorResponse):
        raise refusal(answer, call)
    if not isinstance(answer, lookups.AssetsByAliasResult):
        raise ChannelError(f"{call} was answered with {type(answer).__name__}")
    return [each.name for each in answer.assets]


def _listed(names: list[str]) -> str:
    return f" ({', '.join(names)})" if names else ""
