"""
Says of a pod what a TaskRun can say, and refuses the rest by its name. Pure.

A refusal is better than a pod that lacks something without a word. What is left out on purpose, such as a credential of
Airflow's, is said in a note.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from airlock_executor import lookups
from airlock_executor.launch.taskrun import PodSettings
from airlock_executor.pod import fields

Json = dict[str, Any]

_CONFIG_FILE = "airflow.cfg"
_RESERVED_PREFIXES = ("airlock.dev/", "kubectl.kubernetes.io/")
_RESERVED_KEY = "app.kubernetes.io/managed-by"
_OURS = "airlock-"
#: How many variables a TaskRun's pod has at most.
MAX_ENV = 64


class Refused(ValueError):
    """The pod asks for what a TaskRun's pod cannot have. ``refusals`` has a sentence for each field."""

    def __init__(self, refusals: list[str]) -> None:
        super().__init__("; ".join(refusals))
        self.refusals = refusals


class Translation(msgspec.Struct, frozen=True):
    """
    What a TaskRun can say of a pod, and what was left out of it. ``lookups`` are the connections and variables of its
    environment, which go to the sidecar.
    """

    settings: PodSettings
    notes: list[str]
    lookups: dict[str, str] = {}


def translated(pod: Json, namespaces: tuple[str, ...], withheld: Callable[[str], str | None]) -> Translation:
    """
    Returns a pod as a TaskRun says it. ``withheld`` says why tasks do not get a variable of a name, or None. Raises
    Refused with every field that cannot be.
    """
    refusals: list[str] = []
    notes: list[str] = []
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    container, *others = spec.get("containers") or [{}]
    refusals += [f"spec.containers[{other.get('name', '?')}]: {fields.BESIDE}" for other in others]
    settings = _kept(spec, fields.KEPT) | _kept(container, fields.KEPT_OF_CONTAINER)
    refusals += _refused_of_spec(spec) + _refused_of_container(container)
    env = settings.get("env", [])
    given = lookups.among({str(each.get("name")): str(each["value"]) for each in env if "value" in each})
    env = [each for each in env if str(each.get("name")) not in given]
    settings["env"] = _environment(env, withheld, notes)
    if len(settings["env"]) > MAX_ENV:
        refusals.append(
            f"spec.containers[0].env: there are {len(settings['env'])} variables with those of the scheduler, and a "
            f"TaskRun's pod has {MAX_ENV} at most; put some into a ConfigMap, and name it in envFrom"
        )
    settings["volumeMounts"], stripped = _mounts(settings.get("volumeMounts", []), notes, refusals)
    settings["volumes"] = _volumes(settings.get("volumes", []), settings["volumeMounts"], stripped, refusals)
    for field in ("labels", "annotations"):
        settings[field] = _metadata(field, metadata.get(field) or {}, refusals)
    namespace = metadata.get("namespace") or ""
    if namespace and namespace not in namespaces:
        refusals.append(
            f"metadata.namespace: {namespace} is not one of {', '.join(namespaces)}; an administrator gives a queue a "
            "namespace by [airlock] queues"
        )
    if refusals:
        raise Refused(refusals)
    times = {name: f"{spec[field]}s" for field, name in fields.SECONDS.items() if spec.get(field)}
    own = PodSettings(
        pod={field: value for field, value in settings.items() if value},
        image=container.get("image") or "",
        namespace=namespace,
        grace_period=times.get("gracePeriod", ""),
        execution_timeout=times.get("executionTimeout", ""),
    )
    return Translation(own, notes, given)


def _kept(body: Json, names: tuple[str, ...]) -> Json:
    return {name: body[name] for name in names if body.get(name)}


def _refused_of_spec(spec: Json) -> list[str]:
    known = (*fields.KEPT, *fields.SECONDS, *fields.IGNORED)
    refusals = []
    for field, value in spec.items():
        if field in known or not value or value == fields.USUAL.get(field):
            continue
        if field == "securityContext":
            refusals += [_insecure(f"spec.securityContext.{name}") for name in fields.security_refusals(value)]
        else:
            why = fields.BREAKS.get(field, "a TaskRun does not have this field")
            refusals.append(f"spec.{field}: {why}")
    return refusals


def _refused_of_container(container: Json) -> list[str]:
    known = (*fields.KEPT_OF_CONTAINER, *fields.IGNORED_OF_CONTAINER)
    refusals = []
    for field, value in container.items():
        if field in known or not value:
            continue
        if field == "securityContext":
            names = fields.security_refusals(value)
            refusals += [_insecure(f"spec.containers[0].securityContext.{name}") for name in names]
        else:
            why = fields.BREAKS_OF_CONTAINER.get(field, "a TaskRun does not have this field")
            refusals.append(f"spec.containers[0].{field}: {why}")
    return refusals


def _insecure(field: str) -> str:
    return f"{field}: a TaskRun's pod is restricted, and user code is user 50000"


def _environment(env: list[Json], withheld: Callable[[str], str | None], notes: list[str]) -> list[Json]:
    kept = []
    for variable in env:
        why = withheld(str(variable.get("name", "")))
        if why is None:
            kept.append(variable)
        else:
            notes.append(f"env {variable.get('name')} is left out: {why}")
    return kept


def _mounts(mounts: list[Json], notes: list[str], refusals: list[str]) -> tuple[list[Json], set[str]]:
    """Returns the mounts without those of airflow.cfg, and the volumes of these."""
    kept, stripped = [], set()
    for mount in mounts:
        path = str(mount.get("mountPath", ""))
        if _CONFIG_FILE in (path.rpartition("/")[2], str(mount.get("subPath", "")).rpartition("/")[2]):
            stripped.add(str(mount.get("name", "")))
            notes.append(
                f"the mount at {path} is left out: {_CONFIG_FILE} has the database and the keys; set variables instead"
            )
            continue
        refusals += [
            f"spec.containers[0].volumeMounts[{path}].{field}: a TaskRun does not have this field"
            for field, value in mount.items()
            if field not in fields.MOUNT_FIELDS and value
        ]
        kept.append({field: value for field, value in mount.items() if field in fields.MOUNT_FIELDS})
    return kept, stripped


def _volumes(volumes: list[Json], mounts: list[Json], stripped: set[str], refusals: list[str]) -> list[Json]:
    """Returns the volumes, without those that only a mount of airflow.cfg needed."""
    mounted = {mount.get("name") for mount in mounts}
    kept = []
    for volume in volumes:
        name = str(volume.get("name", ""))
        if name in stripped and name not in mounted:
            continue
        kinds = [kind for kind in volume if kind != "name"]
        for kind in kinds:
            if kind not in fields.VOLUME_KINDS:
                why = fields.VOLUME_BREAKS.get(kind, f"a TaskRun has {', '.join(fields.VOLUME_KINDS)}")
                refusals.append(f"spec.volumes[{name}].{kind}: {why}")
        if name.startswith(_OURS):
            refusals.append(f"spec.volumes[{name}]: names that begin with {_OURS} are Airlock's own")
        # An emptyDir without a word about it is written by the client as an empty object, which an API leaves out.
        kept.append(volume if kinds else {"name": name, "emptyDir": {}})
    return kept


def _metadata(field: str, values: dict[str, str], refusals: list[str]) -> dict[str, str]:
    refusals += [
        f"metadata.{field}[{key}]: keys below {', '.join(_RESERVED_PREFIXES)} and {_RESERVED_KEY} are reserved"
        for key in values
        if key.startswith(_RESERVED_PREFIXES) or key == _RESERVED_KEY
    ]
    return values
