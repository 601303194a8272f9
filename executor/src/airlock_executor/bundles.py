"""Says where a bundle's folder is in the image of the tasks. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

#: Airflow's class of a bundle that is a folder.
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"


def folders(configured: Sequence[Any], dags_folder: str, named: Mapping[str, str]) -> dict[str, str]:
    """
    Returns the folder of each bundle that is one: what Airflow's ``dag_bundle_config_list`` says, and what ``[airlock]
    bundles`` says of it otherwise. A local bundle without a path is ``[core] dags_folder``, as for Airflow.

    A bundle that is missing from it is fetched, as the chart of Airlock lists it.
    """
    paths = {}
    for bundle in configured:
        if isinstance(bundle, Mapping) and bundle.get("classpath") == LOCAL and bundle.get("name"):
            paths[str(bundle["name"])] = str((bundle.get("kwargs") or {}).get("path") or dags_folder)
    return paths | dict(named)
