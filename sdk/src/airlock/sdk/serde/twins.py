"""Our classes whose objects travel under the name of Airflow's class, so that each side reads the other's."""

from typing import Final

#: Airflow's path of each class, and ours.
_OURS: Final = {
    "airflow.sdk.definitions.asset.Asset": "airlock.sdk.definitions.asset.assets.Asset",
    "airflow.sdk.definitions.asset.AssetAlias": "airlock.sdk.definitions.asset.alias.AssetAlias",
    "airflow.sdk.definitions.asset.AssetNameRef": "airlock.sdk.definitions.asset.refs.AssetNameRef",
    "airflow.sdk.definitions.asset.AssetUriRef": "airlock.sdk.definitions.asset.refs.AssetUriRef",
    "airflow.sdk.definitions.asset.Dataset": "airlock.sdk.definitions.asset.assets.Dataset",
    "airflow.sdk.definitions.asset.Model": "airlock.sdk.definitions.asset.assets.Model",
    "airflow.sdk.definitions.asset.access_control.AssetAccessControl": (
        "airlock.sdk.definitions.asset.access_control.AssetAccessControl"
    ),
    "airflow.sdk.definitions.callback.AsyncCallback": "airlock.sdk.definitions.callback.AsyncCallback",
    "airflow.sdk.definitions.callback.SyncCallback": "airlock.sdk.definitions.callback.SyncCallback",
    "airflow.sdk.definitions.param.Param": "airlock.sdk.definitions.param.Param",
    "airflow.sdk.definitions.param.ParamsDict": "airlock.sdk.definitions.param.ParamsDict",
}
_THEIRS: Final = {ours: theirs for theirs, ours in _OURS.items()}


def name_on_the_wire(path: str) -> str:
    """Returns the name under which objects of a class travel."""
    return _THEIRS.get(path, path)


def own_path(name: str) -> str:
    """Returns the path of our class for a name on the wire; the name itself if we have no twin of it."""
    return _OURS.get(name, name)
