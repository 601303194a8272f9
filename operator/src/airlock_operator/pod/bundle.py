"""
The init container that fetches a bundle, so that the runner never has to. Pure.

What fetches holds the credential, so nothing of it is the TaskRun's to choose but the bundle's name and its version:
the image, the class and its arguments are the administrator's. The clone stays in a volume that no other container
mounts; the runner sees a copy of the files, read-only.
"""

import json
import re
from typing import Any

from airlock_operator import listed_bundles
from airlock_operator.listed_bundles import ListedBundle
from airlock_operator.observe.podfacts import BUNDLE
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.pod import launcher
from airlock_operator.pod.expansion import unexpanded
from airlock_operator.pod.security import security
from airlock_wire import pod as shared

Json = dict[str, Any]

#: Where the bundle is in the runner's container, and the folder that it is put into by the one that fetches it.
BUNDLE_DIR = "/airlock/bundle"
BUNDLE_VOLUME = "airlock-bundle"
#: Where the bundle's class keeps what it needs, a clone for example: it may have the credential in it.
WORK_DIR = "/airlock/bundle-work"
WORK_VOLUME = "airlock-bundle-work"
#: How long all of a fetch may take. It is part of a TaskRun's ``pendingTimeout``.
FETCH_SECONDS = 300


def fetched(run: TaskRun, bundles: str) -> ListedBundle | None:
    """Returns the listed bundle that is fetched for this TaskRun; None where its files are somewhere already."""
    bundle = run.spec.bundle
    return listed_bundles.known(bundles).get(bundle.name) if bundle is not None and not bundle.path else None


def impossible(run: TaskRun, bundles: str) -> str:
    """Says why this TaskRun's bundle cannot be fetched, as a sentence; empty where it can, or need not be."""
    version = run.spec.bundle.version if run.spec.bundle is not None else None
    if fetched(run, bundles) is None or not version or re.fullmatch(shared.BUNDLE_VERSION, version):
        return ""
    return f"spec.bundle.version: {shared.BUNDLE_VERSION_RULE}"


def root(bundle: ListedBundle) -> str:
    """Returns the folder of its files. It is made by one rename, so it is whole or it is not there."""
    return f"{BUNDLE_DIR}/{bundle.name}"


def container(run: TaskRun, bundle: ListedBundle, resources: Json, proxies: list[Json]) -> Json:
    """Builds the init container that fetches it, with the proxies' variables."""
    version = (run.spec.bundle.version or "") if run.spec.bundle is not None else ""
    configured = {"name": bundle.name, "classpath": bundle.classpath, "kwargs": bundle.kwargs}
    set_to = {
        "HOME": WORK_DIR,
        "TMPDIR": WORK_DIR,
        "AIRFLOW_HOME": f"{WORK_DIR}/airflow",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": f"{WORK_DIR}/bundles",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([configured]),
    }
    arguments = ["bundle", "--deadline-seconds", str(FETCH_SECONDS), bundle.name, version, root(bundle)]
    fields: Json = {
        "name": BUNDLE,
        "image": bundle.image,
        "command": launcher.command(),
        # A kubelet would put variables in, those of the Secret too, and the version is the TaskRun's to write.
        "args": [unexpanded(each) for each in arguments],
        "env": [*({"name": name, "value": unexpanded(value)} for name, value in set_to.items()), *proxies],
        "securityContext": security(shared.BUNDLE_UID),
        "resources": resources,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            launcher.mount(),
            {"name": WORK_VOLUME, "mountPath": WORK_DIR},
            {"name": BUNDLE_VOLUME, "mountPath": BUNDLE_DIR},
        ],
    }
    if bundle.secret:
        fields["envFrom"] = [{"secretRef": {"name": bundle.secret}}]
    return fields


def volumes(bundle: ListedBundle) -> list[Json]:
    """Builds its volumes, of which the runner mounts the copy of the files, read-only."""
    return [{"name": name, "emptyDir": {"sizeLimit": bundle.size_limit}} for name in (WORK_VOLUME, BUNDLE_VOLUME)]
