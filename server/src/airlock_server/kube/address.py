"""The address of the Kubernetes API, and this process's credentials for it."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from airlock_server.settings import KubernetesSettings
from airlock_wire.process.settings import SettingsError

#: The folder that a kubelet mounts in every pod with a service account.
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ApiAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address and the files beside it. The token's file is read anew for each call: a kubelet replaces it."""

    url: str
    token_file: Path
    ca_file: Path
    timeout_seconds: float
    connections: int


def where(settings: KubernetesSettings, environ: Mapping[str, str]) -> ApiAddress:
    """From the settings, and in a pod from its environment; raises SettingsError."""
    url = settings.url or _in_cluster(environ)
    if not url.startswith("https://") and not url.startswith("http://127.0.0.1"):
        raise SettingsError(f"[kubernetes] url is {url!r}; write https://host:port")
    return ApiAddress(
        url=url,
        token_file=Path(settings.token_file or SERVICE_ACCOUNT / "token"),
        ca_file=Path(settings.ca_file or SERVICE_ACCOUNT / "ca.crt"),
        timeout_seconds=settings.timeout_seconds,
        connections=settings.connections,
    )


def own_namespace() -> str | None:
    """Returns the namespace of the pod that this runs in, None outside a pod."""
    try:
        return (SERVICE_ACCOUNT / "namespace").read_text().strip() or None
    except OSError:
        return None


def _in_cluster(environ: Mapping[str, str]) -> str:
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise SettingsError(
            "there is no Kubernetes around this process (KUBERNETES_SERVICE_HOST is not set): set "
            "AIRLOCK__KUBERNETES__URL, TOKEN_FILE and CA_FILE, or run it in a pod"
        )
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
