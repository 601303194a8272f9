"""The operator's settings: sections of ``AIRLOCK__SECTION__KEY``, read once. The chart sets them."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from airlock_wire import settings


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """Where this operator works."""

    #: The namespaces to watch, separated by commas; all of them where empty.
    namespaces: str = ""
    #: The namespace of the operator itself, where its Lease is.
    namespace: str = "airlock-system"
    #: The Lease's name: of all operators with the same one works at a time.
    lease: str = "airlock-operator"
    #: Who this operator is, in the Lease: the pod's name.
    identity: str = ""
    #: Seconds a Lease holds without being renewed. A leader that cannot renew it for two thirds of that ends itself.
    lease_seconds: float = 15.0
    #: TaskRuns worked on at a time.
    workers: int = 32
    #: Seconds between two looks at everything, whatever the events said.
    relist_seconds: float = 60.0
    #: The port of /healthz and /readyz.
    health_port: int = 8080
    #: A kubeconfig file, for an operator outside of a cluster; in a pod its service account is used.
    kubeconfig: str = ""


class Pods(msgspec.Struct, frozen=True, kw_only=True):
    """What every pod of a TaskRun gets."""

    #: The sidecar's image.
    sidecar_image: str = "airlock/sidecar:0.1.0"
    #: When a kubelet pulls it: Always, IfNotPresent or Never.
    sidecar_pull_policy: str = "IfNotPresent"
    #: Names of the Secrets that its registry asks for, separated by commas; they must be in the TaskRun's namespace.
    pull_secrets: str = ""
    #: What a sidecar asks for, of processors.
    sidecar_cpu: str = "10m"
    #: And of memory.
    sidecar_memory: str = "48Mi"
    #: And what memory it may have at most.
    sidecar_memory_limit: str = "128Mi"
    #: The Execution API, as a pod reaches it, up to and without the trailing slash.
    api_url: str = "https://airlock-server.airlock-system.svc:8443/execution"
    #: Where a pod's token is exchanged.
    exchange_url: str = "https://airlock-server.airlock-system.svc:8443/airlock/v1/exchange"
    #: PEM file of the authorities that sidecars trust, a mounted ConfigMap; read anew for each pod.
    ca_file: str = ""
    #: Seconds a projected token lives; a kubelet replaces it before. Kubernetes allows no less than 600.
    token_seconds: int = 600
    #: Seconds between two heartbeats.
    heartbeat_seconds: float = 5.0


class OperatorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All sections."""

    operator: Operator = Operator()
    pods: Pods = Pods()

    @property
    def namespaces(self) -> list[str]:
        """The namespaces to watch; empty for all."""
        return [name.strip() for name in self.operator.namespaces.split(",") if name.strip()]


def from_environment(environ: Mapping[str, str], file: Path | None = None) -> OperatorSettings:
    """The settings; raises airlock_wire.settings.SettingsError."""
    return settings.load(OperatorSettings, environ, file)
