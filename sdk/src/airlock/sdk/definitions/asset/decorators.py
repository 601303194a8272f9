"""``@asset``: a function that writes an asset, and the DAG of one task that calls it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from airlock.sdk.definitions.asset.assets import Asset
from airlock.sdk.definitions.asset.conditions import AssetAll, BaseAsset

if TYPE_CHECKING:
    from os import PathLike

    from airlock.sdk.definitions.asset.watcher import AssetWatcher

#: Parameters of the function that are not the names of inlets.
_NOT_INLETS: Final = ("self", "context", "outlet_events")


class _DagFactory:
    """The arguments of ``@asset`` and ``@asset.multi`` that are those of its DAG."""

    def __init__(
        self,
        *,
        schedule: Any,
        is_paused_upon_creation: bool | None = None,
        dag_id: str | None = None,
        dag_display_name: str | None = None,
        description: str | None = None,
        params: Mapping[str, Any] | None = None,
        on_success_callback: Any = None,
        on_failure_callback: Any = None,
        access_control: Mapping[str, Any] | None = None,
        owner_links: Mapping[str, str] | None = None,
        tags: Collection[str] = (),
    ) -> None:
        self.dag_id = dag_id
        self.dag_arguments = {
            "schedule": schedule,
            "is_paused_upon_creation": is_paused_upon_creation,
            "dag_display_name": dag_display_name,
            "description": description,
            "params": params,
            "on_success_callback": on_success_callback,
            "on_failure_callback": on_failure_callback,
            "access_control": access_control,
            "owner_links": dict(owner_links or {}),
            "tags": sorted(tags),
        }

    def create_dag(self, *, default_dag_id: str) -> Any:
        """Returns the DAG, which has the given id unless the decorator was given one."""
        from airlock.sdk import DAG  # deferred: the two need each other

        given = {name: value for name, value in self.dag_arguments.items() if value not in (None, {}, [], ())}
        return DAG(dag_id=self.dag_id or default_dag_id, **given)


class AssetDefinition(Asset):
    """The asset that a function under ``@asset`` writes. It stands wherever an asset may."""

    def __init__(self, *, function: Callable[..., Any], source: "asset", **fields: Any) -> None:
        """Makes the asset's DAG, which a parse of the file finds."""
        super().__init__(**fields)
        self._function = function
        self._source = source
        with source.create_dag(default_dag_id=self.name):
            _add_task(self, function, self.name)

    def iter_outlets(self) -> Iterator[BaseAsset]:
        """Yields itself."""
        yield self


class MultiAssetDefinition(AssetAll):
    """The assets that a function under ``@asset.multi`` writes: a condition of all of them."""

    def __init__(self, *, name: str, function: Callable[..., Any], source: "asset.multi") -> None:
        """Makes the DAG that writes them, which a parse of the file finds."""
        super().__init__(*source.outlets)
        self.name = name
        self._function = function
        self._source = source
        with source.create_dag(default_dag_id=name):
            _add_task(self, function, name)

    def iter_outlets(self) -> Iterator[BaseAsset]:
        """Yields the assets."""
        yield from self.objects


class asset(_DagFactory):  # noqa: N801 - the decorator's name in Airflow
    """
    Makes a function an asset, written by a DAG of one task: ``@asset(schedule="@daily")``.

    The function's parameters are names of assets that it reads, which it is given. ``self`` is the asset itself,
    ``context`` the context, and ``outlet_events`` that entry of the context.
    """

    def __init__(
        self,
        *,
        schedule: Any,
        is_paused_upon_creation: bool | None = None,
        dag_id: str | None = None,
        dag_display_name: str | None = None,
        description: str | None = None,
        params: Mapping[str, Any] | None = None,
        on_success_callback: Any = None,
        on_failure_callback: Any = None,
        access_control: Mapping[str, Any] | None = None,
        owner_links: Mapping[str, str] | None = None,
        tags: Collection[str] = (),
        name: str | None = None,
        uri: "str | PathLike[str] | None" = None,
        group: str = Asset.asset_type,
        extra: Mapping[str, Any] | None = None,
        watchers: "Collection[AssetWatcher]" = (),
    ) -> None:
        """``name`` and ``uri`` are the function's name unless given; the arguments before them are those of the DAG."""
        super().__init__(
            schedule=schedule,
            is_paused_upon_creation=is_paused_upon_creation,
            dag_id=dag_id,
            dag_display_name=dag_display_name,
            description=description,
            params=params,
            on_success_callback=on_success_callback,
            on_failure_callback=on_failure_callback,
            access_control=access_control,
            owner_links=owner_links,
            tags=tags,
        )
        self.name = name
        self.uri = uri
        self.group = group
        self.extra = dict(extra or {})
        self.watchers = list(watchers)

    class multi(_DagFactory):  # noqa: N801 - as above
        """Makes a function that writes several assets a DAG of one task: ``@asset.multi(outlets=[...], ...)``."""

        def __init__(
            self,
            *,
            schedule: Any,
            is_paused_upon_creation: bool | None = None,
            dag_id: str | None = None,
            dag_display_name: str | None = None,
            description: str | None = None,
            params: Mapping[str, Any] | None = None,
            on_success_callback: Any = None,
            on_failure_callback: Any = None,
            access_control: Mapping[str, Any] | None = None,
            owner_links: Mapping[str, str] | None = None,
            tags: Collection[str] = (),
            outlets: Collection[BaseAsset],
        ) -> None:
            """``outlets`` are the assets; the arguments before them are those of the DAG."""
            super().__init__(
                schedule=schedule,
                is_paused_upon_creation=is_paused_upon_creation,
                dag_id=dag_id,
                dag_display_name=dag_display_name,
                description=description,
                params=params,
                on_success_callback=on_success_callback,
                on_failure_callback=on_failure_callback,
                access_control=access_control,
                owner_links=owner_links,
                tags=tags,
            )
            self.outlets = outlets

        def __call__(self, function: Callable[..., Any]) -> MultiAssetDefinition:
            """Returns the assets; raises ValueError for a nested function, or without outlets."""
            name = _name_of(function, "@asset.multi")
            if not self.outlets:
                raise ValueError(f"@asset.multi: {name} has no outlets; give it some: @asset.multi(outlets=[...])")
            return MultiAssetDefinition(name=name, function=function, source=self)

    def __call__(self, function: Callable[..., Any]) -> AssetDefinition:
        """Returns the asset; raises ValueError for a nested function."""
        function_name = _name_of(function, "@asset")
        name = self.name or function_name
        return AssetDefinition(
            name=name,
            uri=name if self.uri is None else self.uri,
            group=self.group,
            extra=self.extra,
            watchers=self.watchers,
            function=function,
            source=self,
        )


def _name_of(function: Callable[..., Any], decorator: str) -> str:
    name: str = function.__name__
    if getattr(function, "__qualname__", name) != name:
        raise ValueError(f"{decorator}: {name} is nested in a function or class; move it to the top of its module")
    return name


def _add_task(definition: "AssetDefinition | MultiAssetDefinition", function: Any, name: str) -> None:
    """Adds the one task of the open DAG: the function, or the task that a decorator below ``@asset`` makes of it."""
    outlets = list(definition.iter_outlets())
    if hasattr(function, "override"):
        if "outlets" in getattr(function, "kwargs", {}):
            raise TypeError(f"@asset: the task {name} has outlets of its own; leave them out, for @asset gives them")
        function.override(outlets=outlets)()
        return
    from airlock.sdk import task  # deferred: the two need each other

    inlets = [Asset.ref(name=each) for each in _inlet_names(function)]
    task(inlets=inlets, outlets=outlets)(_calling(function, name))()


def _inlet_names(function: Callable[..., Any]) -> list[str]:
    """Returns the parameters that name inlets; raises TypeError for a parameter that nothing can fill."""
    import inspect  # deferred: only a file with such assets pays for it

    names = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise TypeError(f"@asset: {parameter} is not supported; name each asset that the function reads")
        unfilled = parameter.default is inspect.Parameter.empty
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY and unfilled:
            raise TypeError(f"@asset: the positional-only parameter {name!r} needs a default")
        if unfilled and name not in _NOT_INLETS:
            names.append(name)
    return names


def _calling(function: Callable[..., Any], own_name: str) -> Callable[[], Any]:
    """Returns what the task runs: it fetches the assets that the function's parameters name, and calls it with them."""

    def call() -> Any:
        from airlock.sdk.definitions.context import get_current_context  # deferred: the two need each other

        return function(**arguments(function, own_name, get_current_context()))

    call.__name__, call.__qualname__, call.__doc__ = function.__name__, function.__qualname__, function.__doc__
    call.__module__ = function.__module__
    return call


def arguments(function: Callable[..., Any], own_name: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a function under ``@asset`` is called with, by the names of its parameters."""
    import inspect  # deferred: only a task of such an asset pays for it

    values: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            continue
        if parameter.default is not inspect.Parameter.empty:
            values[name] = parameter.default
        elif name == "context":
            values[name] = context
        elif name == "outlet_events":
            values[name] = context["outlet_events"]
        else:
            values[name] = _fetched(own_name if name == "self" else name)
    return values


def _fetched(name: str) -> Asset:
    from airlock.sdk import _channel  # deferred: only a running task has one
    from airlock.sdk.exceptions import AirlockException
    from airlock_wire.protocol.lookups import AssetResult, GetAssetByName

    answer = _channel.ask(GetAssetByName(name=name), f"the asset {name!r} of an @asset function")
    if not isinstance(answer, AssetResult):
        raise AirlockException(f"there is no asset {name!r}; declare it in a DAG, or correct the parameter's name")
    return Asset(name=answer.name, uri=answer.uri, group=answer.group, extra=answer.extra)
