"""The operator's settings: sections of ``AIRLOCK__SECTION__KEY``, read once. The chart sets them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from airlock_operator import listed_bundles
from airlock_wire.process import settings

#: The beginnings of an address for logs. A folder would need a volume in each pod.
_STORES = ("s3://", "gs://", "az://", "abfss://")


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's own settings: its namespaces, its Lease, its work queue."""

    #: The namespaces to watch, separated by commas; all of them where empty.
    namespaces: str = ""
    #: The namespace of the operator itself, where its Lease is.
    namespace: str = "airlock-system"
    #: The Lease's name: of all operators with the same one works at a time.
    lease: str = "airlock-operator"
    #: This operator's identity in the Lease: the pod's name.
    identity: str = ""
    #: Seconds a Lease holds without being renewed. A leader that cannot renew it for two thirds of that does nothing
    #: until it can, and ends when another has it. An operator that is started again under its pod's name goes on at
    #: once.
    lease_seconds: float = 60.0
    #: How many TaskRuns are worked on at a time.
    workers: int = 32
    #: How many TaskRuns may be under way in all namespaces; 0: any number. The others wait as Queued.
    max_active: int = 0
    #: How many may be under way in one namespace; 0: any number.
    max_active_per_namespace: int = 0
    #: Namespaces with a limit of their own: a JSON map of names to numbers; empty for none.
    max_active_in: str = ""
    #: How many pods may be made in a second; 0: any number.
    pods_per_second: float = 0.0
    #: Seconds between two lists of TaskRuns and pods, whatever the events said.
    relist_seconds: float = 60.0
    #: The port of /healthz and /readyz.
    health_port: int = 8080
    #: The port of /metrics for a Prometheus; 0: none.
    metrics_port: int = 0
    #: The address of the server's question about an attempt; empty: the server is not asked how an attempt ended whose
    #: pod does not show it.
    attempts_url: str = ""
    #: The file of the token that the operator shows the server with that question; empty: it is not asked.
    token_file: str = ""
    #: Whether to look every few seconds if the servers of ``pods.api_url`` and ``pods.airflow_api_url`` answer. While
    #: one does not, its running TaskRuns say so.
    watch_servers: bool = False
    #: A kubeconfig file, for an operator outside of a cluster; in a pod its service account is used.
    kubeconfig: str = ""


class Pods(msgspec.Struct, frozen=True, kw_only=True):
    """Settings for every pod of a TaskRun."""

    #: The sidecar's image.
    sidecar_image: str = "airlock/sidecar:0.1.0"
    #: The runner's image, for TaskRuns that name none. It is pulled as the sidecar's is.
    runner_image: str = "airlock/runner:0.1.0"
    #: When a kubelet pulls it: Always, IfNotPresent or Never.
    sidecar_pull_policy: str = "IfNotPresent"
    #: Names of the Secrets that its registry asks for, separated by commas; they must be in the TaskRun's namespace.
    pull_secrets: str = ""
    #: The CPU request of a sidecar.
    sidecar_cpu: str = "10m"
    #: The memory request of a sidecar.
    sidecar_memory: str = "48Mi"
    #: The memory limit of a sidecar.
    sidecar_memory_limit: str = "128Mi"
    #: The CPU limit of the sidecar and of each init container of ours; no limit if empty.
    cpu_limit: str = ""
    #: The proxy for http:// of sidecars and of containers that fetch bundles; no proxy if empty.
    http_proxy: str = ""
    #: The proxy for https://.
    https_proxy: str = ""
    #: Hosts that are reached without a proxy, separated by commas, beside those in the cluster.
    no_proxy: str = ""
    #: The resources of a runner whose TaskRun says nothing of them, as JSON: ``{"requests": {"memory": "128Mi"}}``.
    #: Empty: none.
    runner_resources: str = ""
    #: The folder of an object store in which our runner keeps large XComs, as ``airlock.sdk.io`` opens it:
    #: ``s3://conn_id@bucket/xcoms``. Empty: every XCom is kept by the server.
    xcom_store: str = ""
    #: From how many bytes on, as JSON, an XCom is kept there.
    xcom_store_threshold_bytes: int = 1048576
    #: How it is compressed there: ``gzip``, or empty for not at all.
    xcom_store_compression: str = ""
    #: How much a runner may write to ``/tmp``, and to an emptyDir whose author gave no limit.
    scratch_size_limit: str = "4Gi"
    #: The Execution API, as a pod reaches it, up to and without the trailing slash.
    api_url: str = "https://airlock-server.airlock-system.svc:8443/execution"
    #: The address of the exchange of a pod's token.
    exchange_url: str = "https://airlock-server.airlock-system.svc:8443/airlock/v1/exchange"
    #: PEM file of the authorities that sidecars trust, a mounted ConfigMap; read anew for each pod.
    ca_file: str = ""
    #: The Execution API of a real Airflow, for TaskRuns whose token it minted (``token: Secret``). Empty: they are
    #: refused. A TaskRun cannot choose it, because the token is sent there.
    airflow_api_url: str = ""
    #: PEM file of the authorities that those sidecars trust; the system's where empty.
    airflow_ca_file: str = ""
    #: Paths of classes that its triggerer may be told to import and call, beside the triggers of Airflow's providers:
    #: a JSON list of patterns, for TaskRuns with ``token: Secret`` that do not say.
    airflow_deferrals: str = ""
    #: Names and URIs of the assets that a success of those tasks may claim, which makes its DAGs run; also a JSON list.
    airflow_asset_events: str = ""
    #: The bundles that are fetched for the TaskRuns that name them, a JSON list (docs/bundles.md).
    bundles: str = ""
    #: Seconds a projected token lives; a kubelet replaces it before. Kubernetes allows no less than 600.
    token_seconds: int = 600
    #: Seconds between two heartbeats.
    heartbeat_seconds: float = 5.0


class Logs(msgspec.Struct, frozen=True, kw_only=True):
    """The store for the logs of TaskRuns, for their sidecars (docs/logs.md)."""

    #: A place in an object store, ``s3://bucket/prefix``; empty: a log is gone with its pod.
    store: str = ""
    #: The object store's address where it is not the provider's own.
    endpoint: str = ""
    #: The bucket's region; S3 only.
    region: str = ""
    #: The Secret of the store's credentials, in the namespace of each TaskRun; only sidecars mount it. Empty: workload
    #: identity.
    credentials_secret: str = ""
    #: The key of that Secret that holds the PEM certificates of the store's authority; empty for the system's.
    ca_key: str = ""
    #: A line is in the object store after so many seconds at the latest, if the store answers.
    chunk_seconds: float = 10.0
    #: The largest object, in MiB.
    segment_mib: int = 8
    #: How much of a log a sidecar may keep while the store is away, in MiB.
    local_mib: int = 256
    #: How long the end of a launch waits for the store to take the rest of the log.
    final_seconds: float = 15.0


class Traces(msgspec.Struct, frozen=True, kw_only=True):
    """Traces of TaskRuns for an OpenTelemetry collector (docs/guides/operations.md)."""

    #: The collector's address for OTLP over HTTP, ``http://collector:4318``; ``/v1/traces`` is added to an address
    #: without a path. It has no credential in it. Empty: no traces.
    endpoint: str = ""
    #: Which part of the TaskRuns has a trace, from 0 to 1. A ``traceparent`` of a TaskRun's maker says it for itself.
    ratio: float = 1.0
    #: How long an export may take, in seconds, with its repetitions.
    timeout_seconds: float = 10.0
    #: PEM file of the authorities that the operator trusts for the collector; empty: the usual ones.
    ca_file: str = ""


#: Logs that are not stored anywhere.
NO_STORE = Logs()


class OperatorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All sections."""

    operator: Operator = Operator()
    pods: Pods = Pods()
    logs: Logs = NO_STORE
    traces: Traces = Traces()

    @property
    def namespaces(self) -> list[str]:
        """The namespaces to watch; empty for all."""
        return [name.strip() for name in self.operator.namespaces.split(",") if name.strip()]


def _is_plain_http(address: str) -> bool:
    """Tells whether an address has nothing in it that could be a credential, since its errors are logged."""
    parts = urlsplit(address)
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return not address or (parts.scheme in ("http", "https") and bool(parts.hostname) and plain)


def patterns(text: str) -> tuple[str, ...]:
    """Returns the patterns in a setting, a JSON list of texts; no patterns if it is empty. Raises ValueError."""
    if not text.strip():
        return ()
    try:
        return msgspec.json.decode(text, type=tuple[str, ...])
    except msgspec.MsgspecError as e:
        raise ValueError(f'it must be a JSON list of patterns, like ["my_company.triggers.*Trigger"]: {e}') from e


def limits(text: str) -> dict[str, int]:
    """Returns the limits in a setting, a JSON map; no limits if it is empty. Raises ValueError."""
    if not text.strip():
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Annotated[int, msgspec.Meta(ge=0)]])
    except msgspec.MsgspecError as e:
        raise ValueError(f'it must be a JSON map of namespaces to numbers, like {{"sales": 50}}: {e}') from e


def resources(written: str) -> dict[str, dict[str, str]]:
    """Returns the requests and limits in a setting, a JSON map; empty if it is empty. Raises ValueError."""
    if not written.strip():
        return {}
    try:
        read = msgspec.json.decode(written, type=dict[Literal["requests", "limits"], dict[str, str]])
    except msgspec.MsgspecError as e:
        raise ValueError(f'it must be JSON like {{"requests": {{"memory": "128Mi"}}}}: {e}') from e
    return {str(kind): quantities for kind, quantities in read.items() if quantities}


def from_environment(environ: Mapping[str, str], file: Path | None = None) -> OperatorSettings:
    """Loads the settings; raises airlock_wire.process.settings.SettingsError."""
    loaded = settings.load(OperatorSettings, environ, file)
    pods, logs = loaded.pods, loaded.logs
    for name, read, value in (
        ("PODS__BUNDLES", listed_bundles.decode, pods.bundles),
        ("PODS__RUNNER_RESOURCES", resources, pods.runner_resources),
        ("PODS__AIRFLOW_DEFERRALS", patterns, pods.airflow_deferrals),
        ("PODS__AIRFLOW_ASSET_EVENTS", patterns, pods.airflow_asset_events),
        ("OPERATOR__MAX_ACTIVE_IN", limits, loaded.operator.max_active_in),
    ):
        try:
            read(value)
        except ValueError as e:
            raise settings.SettingsError(f"{settings.PREFIX}{name}: {e}") from e
    url = pods.airflow_api_url
    traces = loaded.traces
    settings.require(
        settings.PREFIX,
        ("PODS__XCOM_STORE", pods.xcom_store, not pods.xcom_store or "://" in pods.xcom_store, "be empty or a URL"),
        (
            "PODS__XCOM_STORE_THRESHOLD_BYTES",
            pods.xcom_store_threshold_bytes,
            pods.xcom_store_threshold_bytes >= 0,
            "be 0 or more",
        ),
        (
            "PODS__XCOM_STORE_COMPRESSION",
            pods.xcom_store_compression,
            pods.xcom_store_compression in ("", "gzip"),
            "be gzip or empty",
        ),
        ("PODS__AIRFLOW_API_URL", url, not url or url.startswith(("https://", "http://")), "begin with https://"),
        (
            "TRACES__ENDPOINT",
            # A refusal is logged, so it has the host alone.
            urlsplit(traces.endpoint).hostname or traces.endpoint,
            _is_plain_http(traces.endpoint),
            "be empty or an address with http:// or https://, without a user, a query and a fragment",
        ),
        ("TRACES__RATIO", traces.ratio, 0.0 <= traces.ratio <= 1.0, "be between 0 and 1"),
        ("TRACES__TIMEOUT_SECONDS", traces.timeout_seconds, traces.timeout_seconds > 0, "be more than 0"),
        (
            "LOGS__STORE",
            logs.store,
            not logs.store or logs.store.startswith(_STORES),
            f"be empty or begin with one of {', '.join(_STORES)}, as pods share no folder",
        ),
        *(
            (f"LOGS__{name.upper()}", getattr(logs, name), logs.store, "be empty where LOGS__STORE is")
            for name in ("endpoint", "region", "credentials_secret", "ca_key")
            if getattr(logs, name)
        ),
        (
            "LOGS__CA_KEY",
            logs.ca_key,
            logs.credentials_secret or not logs.ca_key,
            "be a key of LOGS__CREDENTIALS_SECRET, which is not set",
        ),
    )
    return loaded
