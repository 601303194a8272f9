"""
Bundles that an administrator lists, and the init container that fetches one so that the runner never has to. Pure.

What fetches holds the credential, so nothing of it is the TaskRun's to choose but the bundle's name and its version:
the image, the class and its arguments are the administrator's. The clone stays in a volume that no other container
mounts; the runner sees a copy of the files, read-only.
"""

import json
import re
from functools import lru_cache
from typing import Any

import msgspec

from airlock_operator.expansion import unexpanded
from airlock_operator.podfacts import BUNDLE
from airlock_operator.security import security
from airlock_operator.taskrun import TaskRun
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

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,249}")
_CLASSPATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_SECRET = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SIZE = re.compile(r"[1-9][0-9]*(Mi|Gi|Ti)")


class Bundle(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A bundle as the chart's values list it."""

    name: str
    #: Airflow's class of it, ``airflow.providers.git.bundles.git.GitDagBundle``, and its arguments.
    classpath: str
    kwargs: dict[str, Any] = {}
    #: What fetches it: an image that has Airflow and what the class needs.
    image: str
    #: A Secret of the TaskRun's namespace whose keys are variables of what fetches; none where empty.
    secret: str = ""
    #: How much the clone may be, and how much the copy of its files.
    size_limit: str = "1Gi"


def decode(text: str) -> dict[str, Bundle]:
    """The bundles in a setting, a JSON list, by name; raises ValueError that names the field and the fix."""
    if not text.strip():
        return {}
    try:
        listed = msgspec.json.decode(text, type=list[Bundle])
    except msgspec.MsgspecError as e:
        raise ValueError(f"it must be a JSON list of bundles, each with name, classpath and image: {e}") from e
    for place, each in enumerate(listed):
        for field, value, pattern, must in (
            ("name", each.name, _NAME, "begin with a letter, a digit or _, and have only these and . and -"),
            ("name", "" if ".." in each.name else "-", re.compile("-"), "not have '..' in it"),
            ("classpath", each.classpath, _CLASSPATH, "be the dotted name of a class"),
            ("image", each.image, re.compile(r"\S+"), "be an image that has Airflow and what the class needs"),
            (
                "secret",
                each.secret or "-",
                re.compile(f"{_SECRET.pattern}|-"),
                "be the name of a Secret, or be left out",
            ),
            (
                "secret",
                each.secret[:8],
                re.compile(r"(?!airlock-).*"),
                "not begin with airlock-, which is Airlock's own",
            ),
            ("sizeLimit", each.size_limit, _SIZE, "be a number of Mi, Gi or Ti: 1Gi"),
        ):
            if not pattern.fullmatch(value):
                raise ValueError(f"[{place}].{field} must {must}; it is {_shown(each, field)!r}")
        if each.name in (other.name for other in listed[:place]):
            raise ValueError(f"[{place}].name is {each.name!r}, as another's is; give each its own")
    return {each.name: each for each in listed}


def fetched(run: TaskRun, listed: str) -> Bundle | None:
    """The bundle that is fetched for this TaskRun, of the setting's; None where its files are somewhere already."""
    asked = run.spec.bundle
    return _decoded(listed).get(asked.name) if asked is not None and not asked.path else None


def impossible(run: TaskRun, listed: str) -> str:
    """Why this TaskRun's bundle cannot be fetched, as a sentence; empty where it can, or need not be."""
    version = run.spec.bundle.version if run.spec.bundle is not None else None
    if fetched(run, listed) is None or not version or re.fullmatch(shared.BUNDLE_VERSION, version):
        return ""
    return f"spec.bundle.version: {shared.BUNDLE_VERSION_RULE}"


def root(bundle: Bundle) -> str:
    """The folder of its files. It is made by one rename, so it is whole or it is not there."""
    return f"{BUNDLE_DIR}/{bundle.name}"


def container(run: TaskRun, bundle: Bundle, resources: Json, proxies: list[Json]) -> Json:
    """The init container that fetches it, with the proxies' variables."""
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
    made: Json = {
        "name": BUNDLE,
        "image": bundle.image,
        "command": ["python", shared.LAUNCHER_DIR],
        # A kubelet would put variables in, those of the Secret too, and the version is the TaskRun's to write.
        "args": [unexpanded(each) for each in arguments],
        "env": [*({"name": name, "value": unexpanded(value)} for name, value in set_to.items()), *proxies],
        "securityContext": security(shared.BUNDLE_UID),
        "resources": resources,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "airlock-launcher", "mountPath": shared.LAUNCHER_PARENT, "readOnly": True},
            {"name": WORK_VOLUME, "mountPath": WORK_DIR},
            {"name": BUNDLE_VOLUME, "mountPath": BUNDLE_DIR},
        ],
    }
    if bundle.secret:
        made["envFrom"] = [{"secretRef": {"name": bundle.secret}}]
    return made


def volumes(bundle: Bundle) -> list[Json]:
    """Its volumes, of which the runner mounts the copy of the files, read-only."""
    return [{"name": name, "emptyDir": {"sizeLimit": bundle.size_limit}} for name in (WORK_VOLUME, BUNDLE_VOLUME)]


def _shown(bundle: Bundle, field: str) -> str:
    return str(msgspec.to_builtins(bundle)[field])


@lru_cache(maxsize=4)
def _decoded(listed: str) -> dict[str, Bundle]:
    # One setting for the life of the process, asked for with each pod.
    return decode(listed)
