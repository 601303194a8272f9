"""
The settings of the executor: section ``[airlock]`` of airflow.cfg, or ``AIRFLOW__AIRLOCK__<OPTION>``. Pure.

Some options of KubernetesExecutor are read where ours are silent. So a configuration that was written for it goes on.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

SECTION = "airlock"
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?")
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes", "on"}), frozenset({"false", "f", "0", "no", "off"})


class SettingsError(ValueError):
    """An option is wrong. The text names it, and says what it must be."""


class Queue(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What the tasks of a queue get beside what all tasks get."""

    namespace: str = ""
    image: str = ""
    priority_class_name: str = ""
    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """Every option, with its default. The comment above an option is its documentation."""

    #: Whose TaskRuns these are: a label, by which a restarted scheduler finds its own. Each Airflow of a namespace has
    #: another one.
    name: str = "airflow"
    #: The namespace of the TaskRuns; empty: the scheduler's own.
    namespace: str = ""
    #: The image that user code runs in: one that has Airflow 3.3 and your packages.
    image: str = ""
    #: By queue, as JSON: namespace, image, priorityClassName, nodeSelector, tolerations.
    queues: dict[str, Queue] = {}
    #: A file with a pod, as KubernetesExecutor takes it: what every task's pod begins with.
    pod_template_file: str = ""
    #: By bundle, as JSON: its folder in the image. A local bundle that is missing here is where Airflow's configuration
    #: says. Another one is fetched, as the chart of Airlock lists it.
    bundles: dict[str, str] = {}
    #: A file with rules about what the tasks of which DAGs may ask the server for.
    policy_file: str = ""
    #: How long an attempt may wait to start: for a quota, a node, an image.
    pending_timeout: str = "1h"
    #: How long pulling an image may fail.
    image_pull_timeout: str = "5m"
    #: How long a task has to end once its pod is told to.
    grace_period: str = "60s"
    #: How long a TaskRun is kept after it succeeded.
    ttl_after_success: str = "1h"
    #: How long a TaskRun is kept after it failed.
    ttl_after_failure: str = "24h"
    #: How long a token lives that its sidecar has not used yet. It is renewed at half of it.
    token_seconds: int = 600
    #: How often a launch that never began is made anew, and a running one that the platform took is scheduled again,
    #: without costing a try.
    infra_budget: int = 3
    #: Whether a task that the platform took is scheduled again on the same try, once its user code began.
    rerun_after_start: bool = True
    #: Whether that also holds for a task that had been deferred, which then begins from its start.
    rerun_resumed: bool = False
    #: How many TaskRuns are made at the same time.
    create_concurrency: int = 16
    #: How long a call of the Kubernetes API may take.
    request_seconds: int = 15
    #: How often all TaskRuns are listed, whatever the watch says.
    relist_seconds: int = 300
    #: How many lines of a running task's log are shown.
    log_lines: int = 1000
    #: A kubeconfig, for a scheduler outside of the cluster; empty: the pod's service account.
    kubeconfig: str = ""
    #: The context of that file; empty: its current one.
    context: str = ""
    #: Findings of ``airlock-executor check`` that are accepted, by their names, with commas between them.
    accept: str = ""

    @property
    def accepted(self) -> frozenset[str]:
        """The names of the findings that are accepted."""
        return frozenset(name.strip() for name in self.accept.split(",") if name.strip())

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Every namespace that has TaskRuns of ours, the default one first."""
        names = [self.namespace, *(queue.namespace for queue in self.queues.values())]
        return tuple(dict.fromkeys(name for name in names if name))

    def of_queue(self, name: str) -> Queue:
        """Returns what the tasks of a queue get."""
        return self.queues.get(name, Queue())


#: Options of [kubernetes_executor] that are read where ours is silent, by our name.
FALLBACKS = {
    "namespace": "namespace",
    "pod_template_file": "pod_template_file",
    "log_lines": "running_pod_log_lines",
    "kubeconfig": "config_file",
    "context": "cluster_context",
    "create_concurrency": "pod_creation_max_concurrency",
}
REPOSITORY, TAG = "worker_container_repository", "worker_container_tag"

OPTIONS = {field.name: field for field in msgspec.structs.fields(Settings)}
_DURATIONS = ("pending_timeout", "image_pull_timeout", "grace_period", "ttl_after_success", "ttl_after_failure")
#: The least and the most that a number may be.
_BOUNDS = {
    "token_seconds": (60, 86400),
    "infra_budget": (0, 20),
    "create_concurrency": (1, 256),
    "request_seconds": (1, 120),
    "relist_seconds": (10, 3600),
    "log_lines": (1, 100_000),
}


def read(options: Mapping[str, str], kubernetes: Mapping[str, str], own_namespace: str = "") -> Settings:
    """
    Returns the settings of ``[airlock]`` and of ``[kubernetes_executor]``, both as text.

    Raises SettingsError for an option that does not exist, with the nearest that does, and for one that is wrong.
    """
    for option in options:
        if option not in OPTIONS:
            near = difflib.get_close_matches(option, OPTIONS, 1)
            hint = f"; do you mean {near[0]}?" if near else f"; there are: {', '.join(OPTIONS)}"
            raise SettingsError(f"[{SECTION}] {option}: there is no such option{hint}")
    texts = {option: kubernetes[theirs] for option, theirs in FALLBACKS.items() if kubernetes.get(theirs, "0") != "0"}
    if kubernetes.get("in_cluster", "").strip().lower() not in _FALSE:
        # As for KubernetesExecutor, its file counts only for a scheduler outside of the cluster.
        texts = {option: text for option, text in texts.items() if option not in ("kubeconfig", "context")}
    if kubernetes.get(REPOSITORY) and kubernetes.get(TAG):
        texts["image"] = f"{kubernetes[REPOSITORY]}:{kubernetes[TAG]}"
    texts |= options
    values = {option: _value(option, text.strip()) for option, text in texts.items() if text.strip()}
    values["namespace"] = values.get("namespace") or own_namespace
    settings = Settings(**values)
    _check(settings)
    return settings


def seconds(duration: str) -> float:
    """Returns the seconds of a duration such as ``90s`` or ``1h30m``, which ``read`` has checked."""
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))


def _value(option: str, text: str) -> Any:
    kind = OPTIONS[option].type
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in _TRUE | _FALSE:
            raise _wrong(option, text, "it must be True or False")
        return text.lower() in _TRUE
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise _wrong(option, text, "it must be a whole number") from None
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as e:
        example = '{"gpu": {"nodeSelector": {"gpu": "yes"}}}' if option == "queues" else '{"dags": "/opt/airflow/dags"}'
        raise SettingsError(f"[{SECTION}] {option}: it must be JSON like {example}: {e}") from e


def _check(settings: Settings) -> None:
    if not _LABEL.fullmatch(settings.name):
        raise _wrong("name", settings.name, "it must be lower-case letters, digits and -, up to 42 of them")
    if not settings.namespace:
        raise SettingsError(
            f"[{SECTION}] namespace: it must be set, as this process is not in a pod of a cluster; for example airflow"
        )
    if not settings.image:
        raise SettingsError(
            f"[{SECTION}] image: it must be set to the image that tasks run in, with Airflow 3.3 and your packages; or "
            f"set [kubernetes_executor] {REPOSITORY} and {TAG}"
        )
    for option in _DURATIONS:
        text = getattr(settings, option)
        if not _DURATION.fullmatch(text):
            raise _wrong(option, text, "it must be a duration such as 90s, 10m or 1h30m")
    for option, (least, most) in _BOUNDS.items():
        number = getattr(settings, option)
        if not least <= number <= most:
            raise _wrong(option, number, f"it must be from {least} to {most}")
    for name, path in settings.bundles.items():
        if not path.startswith("/") or ".." in path:
            raise SettingsError(f"[{SECTION}] bundles: {name}: it must be an absolute path without ..; it is {path!r}")


def _wrong(option: str, value: object, must: str) -> SettingsError:
    return SettingsError(f"[{SECTION}] {option}: {must}; it is {value!r}")
