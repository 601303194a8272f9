"""The sidecar's settings: sections of ``AIRLOCK__SECTION__KEY``, read once."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from airlock_wire import frames, pod, settings


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """Where the Execution API is."""

    #: Up to and without the trailing slash: ``https://airlock-server:8443/execution``.
    url: str = ""
    #: Where the pod's token is exchanged for the task's: ``https://airlock-server:8443/airlock/v1/exchange``. Empty
    #: where the token is handed over in another way.
    exchange_url: str = ""
    #: PEM file of the authority that signed the server's certificate; the system's authorities where empty.
    ca_file: str = ""
    #: The same as text: one or more PEM certificates. It wins over ``ca_file``.
    ca_pem: str = ""
    #: The first wait for one answer, in seconds; it doubles after each answer that came too late, up to 60.
    timeout_seconds: float = 5.0


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """Which launch this is, and where its files are."""

    #: The workload (airlock_wire.workload), as a JSON file.
    workload_file: str = ""
    #: The workload itself, as JSON text; instead of ``workload_file``.
    workload: str = ""
    #: The folder shared with the runner's container; the socket is made in it.
    socket_dir: str = ""
    #: The folder that only the sidecar sees: what must survive its restart.
    state_dir: str = ""
    #: An open file to keep the secret part of that in, where a folder would be readable by user code; -1 for none.
    state_fd: int = -1
    #: The descriptor of a pipe that the token comes through; -1 where there is none.
    token_fd: int = -1
    #: The pod's own token, of audience ``airlock``, which is exchanged for the task's. Read anew each time: a kubelet
    #: replaces it before it runs out.
    pod_token_file: str = ""
    #: The pod this runs in, from the downward API. With ``pod_uid`` it makes the hostname.
    pod_name: str = ""
    #: The pod's UID, from the downward API.
    pod_uid: str = ""
    #: The folder below which logs are kept.
    log_dir: str = ""
    #: Where the record is written at the end: the container's termination message in a pod.
    record_file: str = "/dev/termination-log"
    #: The user the runner's container runs as; -1 means the sidecar's own.
    runner_uid: int = -1
    #: The hostname reported at /run, where it is not made of ``pod_name`` and ``pod_uid``; the machine's where empty.
    #: It is the same at every start of the sidecar.
    hostname: str = ""
    #: Ends with its parent, where the parent plays the kubelet; a kubelet ends containers itself.
    die_with_parent: bool = False
    #: Seconds between two heartbeats.
    heartbeat_seconds: float = 5.0
    #: How long a runner may take to connect.
    connect_seconds: float = pod.CONNECT_SECONDS
    #: How long a runner may go on after its terminal message, for links, callbacks and logs.
    overtime_seconds: float = 20.0
    #: The largest frame taken from the runner; a larger one is answered with FrameTooLarge.
    max_frame_bytes: int = frames.MAX_FRAME_BYTES


class Logging(msgspec.Struct, frozen=True, kw_only=True):
    """What the sidecar says about itself."""

    #: Logs every frame: direction, type, id and size, and the names of its fields, never a value.
    frames: bool = False
    #: A file that every frame is appended to as it is, for ``airlock frames decode``. It then holds what the task was
    #: given, secrets included; empty for none.
    capture_file: str = ""


class SidecarSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All sections."""

    api: Api = Api()
    sidecar: Sidecar = Sidecar()
    logging: Logging = Logging()


def from_environment(environ: Mapping[str, str], file: Path | None = None) -> SidecarSettings:
    """The settings; raises airlock_wire.settings.SettingsError, also for one that a sidecar cannot do without."""
    loaded = settings.load(SidecarSettings, environ, file)
    for name in ("socket_dir", "state_dir", "log_dir"):
        if not getattr(loaded.sidecar, name):
            raise settings.SettingsError(f"{settings.PREFIX}SIDECAR__{name.upper()} is not set")
    mine = loaded.sidecar
    if bool(mine.workload) == bool(mine.workload_file):
        raise settings.SettingsError(
            f"set one of {settings.PREFIX}SIDECAR__WORKLOAD and {settings.PREFIX}SIDECAR__WORKLOAD_FILE: which launch "
            "this is, as text or as a file"
        )
    if bool(loaded.api.exchange_url) != bool(mine.pod_token_file):
        raise settings.SettingsError(
            f"{settings.PREFIX}API__EXCHANGE_URL and {settings.PREFIX}SIDECAR__POD_TOKEN_FILE go together: set both, "
            "or neither"
        )
    return loaded
