"""The sidecar's settings: sections of ``AIRLOCK__SECTION__KEY``, read once."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airlock_wire import pod
from airlock_wire import sidecar_settings as names
from airlock_wire.process import settings
from airlock_wire.protocol import frames

if TYPE_CHECKING:
    from airlock_wire.logplace import Place


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
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
    """The launch, and the places of its files."""

    #: The workload (airlock_wire.workload), as a JSON file.
    workload_file: str = ""
    #: The workload itself, as JSON text; instead of ``workload_file``.
    workload: str = ""
    #: The folder shared with the runner's container; the socket is made in it.
    socket_dir: str = ""
    #: The folder that only the sidecar sees: what must survive its restart.
    state_dir: str = ""
    #: An open file for the secret part of that state, if user code could read the folder; -1 for no such file.
    state_fd: int = -1
    #: The descriptor of a pipe that the token comes through; -1 for no pipe.
    token_fd: int = -1
    #: The pod's own token, of audience ``airlock``, which is exchanged for the task's. Read anew each time: a kubelet
    #: replaces it before it runs out.
    pod_token_file: str = ""
    #: The task's token itself, minted by whoever owns the task instance: a mounted Secret's file. It is read at the
    #: start, and again when the server refuses the token.
    token_file: str = ""
    #: Connections and variables that this sidecar answers for itself, as JSON: for each of ``connections`` and
    #: ``variables`` an object with the server's answer by the name in upper case. It may be missing.
    lookups_file: str = ""
    #: How long to wait, after a refusal, until ``token_file`` holds another token. A kubelet takes a minute or two.
    token_wait_seconds: float = 150.0
    #: The pod this runs in, from the downward API. With ``pod_uid`` it makes the hostname.
    pod_name: str = ""
    #: The pod's UID, from the downward API.
    pod_uid: str = ""
    #: The folder that the launcher is copied into, for a runner whose image lacks it. Empty: it is not copied.
    launcher_parent: str = ""
    #: The launcher's folder in the sidecar's own image.
    launcher_source: str = "/launcher"
    #: The folder below which logs are kept.
    log_dir: str = ""
    #: How much of the log file stays on the disk, in MiB, where nobody reads it; 0 for all of it.
    log_keep_mib: int = 0
    #: Where the record is written at the end: the container's termination message in a pod.
    record_file: str = "/dev/termination-log"
    #: The user the runner's container runs as; -1 means the sidecar's own.
    runner_uid: int = -1
    #: The hostname reported at /run, where it is not made of ``pod_name`` and ``pod_uid``; the machine's where empty.
    #: It is the same at every start of the sidecar.
    hostname: str = ""
    #: Whether the sidecar ends with its parent process. A kubelet ends containers itself.
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
    """The sidecar's own logging."""

    #: Logs every frame: direction, type, id and size, and the names of its fields, never a value.
    frames: bool = False
    #: A file that every frame is appended to as it is, for ``airlock frames decode``. It then holds what the task was
    #: given, secrets included; empty for none.
    capture_file: str = ""


class Logs(msgspec.Struct, frozen=True, kw_only=True):
    """The place of tasks' logs, and how much of them may be kept here until the store has them (docs/logs.md)."""

    #: Empty: only the local folder, ``[sidecar] log_dir``. A folder, ``/mnt/logs``, on a volume that readers share. Or
    #: a place in an object store: ``s3://bucket/prefix``, ``gs://bucket/prefix``, ``az://container/prefix`` or
    #: ``abfss://container@account.dfs.core.windows.net/prefix``.
    store: str = ""
    #: The object store's address where it is not the provider's own: ``https://minio.example:9000``.
    endpoint: str = ""
    #: The bucket's region; S3 only.
    region: str = ""
    #: A folder of the store's credentials, as a mounted Secret makes it: a file for each, named as the provider's
    #: environment variable is (``AWS_ACCESS_KEY_ID``, ``GOOGLE_SERVICE_ACCOUNT_KEY``, ``AZURE_STORAGE_ACCOUNT_KEY``).
    #: It is read anew when the store refuses. Empty: the environment, then workload identity.
    credentials_dir: str = ""
    #: PEM file of the authority that signed the store's certificate; the system's authorities where empty.
    ca_file: str = ""
    #: A line is in the object store after so many seconds at the latest, if the store answers.
    chunk_seconds: float = 10.0
    #: The largest object, in MiB: a longer log goes on in another. It is also what a write may cost in memory.
    segment_mib: int = 8
    #: How much of a log may be kept locally, in MiB. Beyond it the runner's output waits for a store that is away.
    local_mib: int = 256
    #: How long the end of a launch waits for the object store to take the rest of the log. At most 5 where the pod is
    #: being stopped.
    final_seconds: float = 15.0


class SidecarSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All sections."""

    api: ApiSettings = ApiSettings()
    sidecar: Sidecar = Sidecar()
    logging: Logging = Logging()
    logs: Logs = Logs()


def from_environment(environ: Mapping[str, str], file: Path | None = None) -> SidecarSettings:
    """Loads the settings; raises SettingsError, also where one is missing that a sidecar cannot do without."""
    config = settings.load(SidecarSettings, environ, file)
    _check_launch(config)
    _check_logs(config.logs)
    return config


def _check_launch(config: SidecarSettings) -> None:
    """Raises SettingsError for a launch or a folder that is missing, and for a wrong way to a token."""
    sidecar = config.sidecar
    for name, value in (
        (names.SOCKET_DIR, sidecar.socket_dir),
        (names.STATE_DIR, sidecar.state_dir),
        (names.LOG_DIR, sidecar.log_dir),
    ):
        if not value:
            raise settings.SettingsError(f"{name} is not set")
    if bool(sidecar.workload) == bool(sidecar.workload_file):
        raise settings.SettingsError(
            f"set one of {names.WORKLOAD} and {names.WORKLOAD_FILE}: which launch this is, as text or as a file"
        )
    if bool(config.api.exchange_url) != bool(sidecar.pod_token_file):
        raise settings.SettingsError(
            f"{names.API_EXCHANGE_URL} and {names.POD_TOKEN_FILE} go together: set both, or neither"
        )
    if sidecar.token_file and (sidecar.pod_token_file or sidecar.token_fd >= 0):
        other = names.POD_TOKEN_FILE if sidecar.pod_token_file else names.TOKEN_FD
        raise settings.SettingsError(
            f"set one of {names.TOKEN_FILE} and {other}: each is a way for the task's token to come"
        )
    if sidecar.token_wait_seconds < 0:
        raise settings.SettingsError(f"{settings.PREFIX}SIDECAR__TOKEN_WAIT_SECONDS: it must be 0 or more")


def place_of(logs: Logs) -> "Place | None":
    """Returns the object store that logs go to, None for a folder; raises ValueError that says what it must be."""
    if not logs.store or logs.store.startswith("/"):
        return None
    from airlock_wire.logplace import place  # not loaded where no address is set

    return place(logs.store)


def _check_logs(logs: Logs) -> None:
    """Raises SettingsError for a place that logs cannot go to."""
    try:
        place = place_of(logs)
    except ValueError as e:
        raise settings.SettingsError(f"{names.LOGS_STORE}: {e}; it is {logs.store!r}") from e
    only = [name for name in ("endpoint", "region", "credentials_dir", "ca_file") if getattr(logs, name)]
    if only and place is None:
        name = f"{settings.PREFIX}LOGS__{only[0].upper()}"
        raise settings.SettingsError(f"{name}: is for object stores, and {names.LOGS_STORE} names none")
    least = 4 * logs.segment_mib
    url, folder, file = logs.endpoint, logs.credentials_dir, logs.ca_file
    settings.require(
        f"{settings.PREFIX}LOGS__",
        (
            "REGION",
            logs.region,
            not logs.region or str(place).startswith("s3://"),
            "be empty for a store that is not s3://",
        ),
        ("ENDPOINT", url, not url or url.startswith(("https://", "http://")), "begin with https://"),
        ("CREDENTIALS_DIR", folder, not folder or Path(folder).is_dir(), "be a folder"),
        ("CA_FILE", file, not file or Path(file).is_file(), "be a file"),
        # A write holds a segment in memory, of the 128 MiB that a sidecar has.
        ("SEGMENT_MIB", logs.segment_mib, 1 <= logs.segment_mib <= 16, "be from 1 to 16"),
        ("LOCAL_MIB", logs.local_mib, logs.local_mib >= least, f"be four segments at least, {least}"),
        ("CHUNK_SECONDS", logs.chunk_seconds, logs.chunk_seconds > 0, "be more than 0"),
        ("FINAL_SECONDS", logs.final_seconds, logs.final_seconds >= 0, "be 0 or more"),
    )
