"""
The server's settings: ``$AIRLOCK_HOME/airlock.toml`` and ``AIRLOCK__SECTION__KEY``, read once.

    [api]                           AIRLOCK__API__PORT=8443
    port = 8443

Every name below is one setting; its comment gives the unit and the meaning of the default. A setting that is marked as
secret has two more forms, ``KEY_CMD`` and ``KEY_SECRET`` (``airlock_wire.process.settings``).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from airlock_server import dag_settings
from airlock_wire.pod import GRACE_SECONDS
from airlock_wire.process.settings import SECRET, SECRET_BY_COMMAND, Origins, SettingsError, read
from airlock_wire.protocol.frames import MAX_FRAME_BYTES

SETTINGS_FILE = "airlock.toml"


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The Execution API's listener."""

    #: Address to listen on. The default is reachable from this machine only.
    host: str = "127.0.0.1"
    #: TCP port; 0 takes any free one.
    port: int = 8080
    #: Path of the PEM certificate chain. Empty: plain HTTP.
    tls_cert: str = ""
    #: Path of the PEM key of ``tls_cert``.
    tls_key: str = ""
    #: Bytes of a request's body beyond which it is answered with 413. XComs are the large ones: a frame of
    #: 16 MiB can grow when it becomes JSON.
    max_body_bytes: int = 64 * 1024 * 1024
    #: Connections at once. Each takes about 50 KiB with TLS; beyond so many new ones are closed.
    max_connections: int = 4096
    #: The same for one address, so that one peer cannot take all of them.
    max_connections_per_peer: int = 512


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The database."""

    #: ``sqlite:////absolute/path`` or ``postgresql://user:password@host/database``, PostgreSQL 15 or newer. Empty:
    #: ``airlock.db`` in the home.
    url: Annotated[str, SECRET] = ""
    #: Connections to PostgreSQL at most; further calls wait.
    pool_size: int = 10
    #: Seconds one statement may take on PostgreSQL.
    statement_seconds: float = 30.0
    #: Seconds a call waits for a connection to PostgreSQL, or for a lock that another has.
    lock_seconds: float = 10.0


class JwtSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens that tasks present."""

    #: The ``aud`` claim. Several, with commas between them: the first is written, each is accepted. The default is what
    #: Airflow's Execution API uses.
    audience: str = "urn:airflow.apache.org:task"
    #: Seconds an execution token lives; it is refreshed while the task talks to the server.
    execution_seconds: int = 600
    #: Seconds a workload token lives, from the moment the task instance is queued.
    workload_seconds: int = 600
    #: Seconds by which clocks may differ: a token is accepted this long after its end.
    leeway_seconds: int = 10
    #: The ``iss`` claim, written and required where it is set. Several as for ``audience``. Empty: none.
    issuer: str = ""
    #: File with one or more keys of 64 random bytes: the first signs, all verify. Empty: ``jwt.key`` in the home, made
    #: on first use.
    key_file: str = ""
    #: File with one or more private keys in PEM, RSA of 2048 bits or more, or Ed25519: the first signs, all verify. No
    #: ``key_file`` is used then. Empty: none.
    private_key_file: str = ""
    #: ``HS256``, ``HS384`` or ``HS512`` for a ``key_file``; ``RS256``, ``RS384``, ``RS512`` or ``EdDSA`` for a
    #: ``private_key_file`` that fits. Empty: HS512, RS256 or EdDSA, as the key is.
    algorithm: Literal["", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "EdDSA"] = ""
    #: The name of the first key in the header of a token. Empty: ``not-used``, or the thumbprint of a private key.
    key_id: str = ""
    #: A JSON Web Key Set of others whose tokens are accepted too: an https URL or the path of a file. It needs a
    #: ``private_key_file``. Empty: none.
    jwks: str = ""
    #: Seconds after which that set is read again. It is also read when a token names a key that is not in it.
    jwks_refresh_seconds: float = 3600.0


class LoggingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The log of the server's own processes. Task logs are not configured here."""

    #: ``debug``, ``info``, ``warning`` or ``error``.
    level: str = "info"
    #: ``text``: a line for people on standard error; ``json``: an object a line on standard output.
    format: Literal["text", "json"] = "text"
    #: Whether the local executor's sidecars say each frame on stderr: its type, id, size and fields, never a value.
    frames: bool = False
    #: A file that those sidecars append every frame to, for ``airlock frames decode``. It then holds what the tasks
    #: were given, secrets included. Empty: no file.
    capture_file: str = ""


class LocalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Launches as processes of this machine (``airlock tasks``)."""

    #: Launches of one try that may be lost to infrastructure before the try fails.
    infra_budget: int = 3
    #: The Python that runs user code. Empty: the one that runs this.
    runner_python: str = ""
    #: The user id that user code runs under; -1: an own one where that is possible (as root), else the caller's.
    runner_uid: int = -1
    #: Seconds between a launch's heartbeats.
    heartbeat_seconds: float = 5.0
    #: Bytes of a frame beyond which a request is refused as FrameTooLarge.
    max_frame_bytes: int = MAX_FRAME_BYTES
    #: Seconds a launch that is told to stop has before it is killed.
    grace_seconds: float = GRACE_SECONDS


class KubernetesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The Kubernetes API, for a server whose tasks run as TaskRuns."""

    #: Whether this server exchanges the tokens of TaskRuns' pods, and closes task instances whose TaskRun is over.
    enabled: bool = False
    #: Address of the API. Empty: that of the cluster whose pod this runs in.
    url: str = ""
    #: File with this server's token for the API, read anew for each call. Empty: the pod's own.
    token_file: str = ""
    #: PEM file of the authority that signed the API's certificate. Empty: the pod's own.
    ca_file: str = ""
    #: Namespaces whose TaskRuns are served, with commas between them. Empty: all.
    namespaces: str = ""
    #: The operator's service account, system:serviceaccount:NAMESPACE:NAME, which may ask how an attempt ended. Empty:
    #: nobody may.
    operator_account: str = ""
    #: Seconds one call may take.
    timeout_seconds: float = 5.0
    #: Calls at once; further ones wait. If too many wait, clients are told to try again later.
    connections: int = 8
    #: Seconds between two searches for TaskRuns that are over, give or take a fifth.
    sweep_seconds: float = 30.0


class ExchangeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often one address may exchange a pod's token for its task's."""

    #: Exchanges that an address may ask for at once.
    burst: int = 100
    #: Exchanges a second after that.
    per_second: float = 20.0
    #: Seconds that a token is remembered after Kubernetes did not confirm it.
    refused_seconds: float = 30.0


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the tasks of TaskRuns may read."""

    #: ``all``: every variable, connection and asset; ``granted``: those that ``airlock grants add`` gave the
    #: namespace.
    default: Literal["all", "granted"] = "all"


class ParseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Importing DAG files."""

    #: Seconds one file's import may take.
    timeout_seconds: float = 30.0


class DagProcessorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The DAG processor, by Airflow's names."""

    #: The bundles: a JSON list of objects with ``name``, ``classpath`` and ``kwargs``. Of a class path the last part
    #: counts: LocalDagBundle with ``path``, GitDagBundle with ``repo_url``, ``tracking_ref`` and ``subdir``, or
    #: ImageDagBundle with ``image``, ``subdir`` and ``insecure``. Empty: ``dags-folder``, which is the folder of
    #: [core] dags_folder.
    dag_bundle_config_list: str = ""
    #: The folder of the bundles that are fetched. Empty: ``bundles`` in the home.
    dag_bundle_storage_path: str = ""
    #: Seconds between two fetches of a bundle.
    refresh_interval: float = 300.0
    #: Files that are parsed at once.
    parsing_processes: int = 2
    #: MiB of memory that the import of a file may have; beyond that it gets a MemoryError. 0: without a limit.
    parsing_memory_mib: int = 2048
    #: Seconds between two parses of a file that has not changed.
    min_file_process_interval: float = 30.0
    #: Seconds that a file's parse may take in all. It is ended then, and what was known of the file stays. How long
    #: the import itself may take is [parse] timeout_seconds.
    dag_file_processor_timeout: float = 50.0
    #: Which file is parsed first, of those that have not changed: the one that was changed last
    #: (``modified_time``), in an order of this machine's own (``random_seeded_by_host``), or by name
    #: (``alphabetical``).
    file_parsing_sort_mode: Literal["modified_time", "random_seeded_by_host", "alphabetical"] = "modified_time"
    #: Seconds between two searches of the bundles' folders. Changes are mostly seen earlier, by events of the kernel;
    #: the search finds them on file systems without such events.
    bundle_refresh_check_interval: float = 5.0
    #: Seconds after which a DAG is stale whose file was parsed without it.
    stale_dag_threshold: float = 50.0
    #: What happens to a DAG that changes although its file does not: ``warning``, ``error`` or ``off``.
    dag_version_inflation_check_level: Literal["off", "warning", "error"] = "warning"
    #: Where a file's output goes: a ``file`` for each in ``logs/dag_processor`` of the home, and with ``stdout``
    #: also the processor's own output.
    dag_processor_log_target: Literal["file", "stdout"] = "file"


class EncryptionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Passwords, extras and variable values at rest."""

    #: One or more keys of 32 random bytes, base64url, with commas between them: the first encrypts, all decrypt.
    #: Empty: ``key_file``.
    key: Annotated[str, SECRET] = ""
    #: File with one or more keys of 64 random bytes: the first encrypts, all decrypt. Empty: ``encryption.key`` in the
    #: home, made on first use.
    key_file: str = ""


class SecretsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where variables and connections come from when a task asks for them."""

    #: The backends that are asked, in this order, with commas between them: ``environment``, ``file``, ``database``, or
    #: the dotted path of a class with the interface of Airflow's secrets backends.
    backends: str = "environment, database"
    #: Arguments of that class: a JSON object.
    backend_kwargs: Annotated[str, SECRET_BY_COMMAND] = ""
    #: The variables of the backend ``file``: a .json, .yaml or .env file, as Airflow's own. Empty: without variables.
    variables_file: str = ""
    #: The connections of the backend ``file``, likewise. Empty: without connections.
    connections_file: str = ""
    #: Seconds that a file or that class has for an answer. After that the next backend is asked.
    timeout_seconds: float = 5.0
    #: Seconds that an answer of that class is remembered, also that it does not have a name; 0: not at all.
    cache_seconds: float = 0.0
    #: Answers that are remembered at most. Beyond that the oldest is forgotten.
    cache_entries: int = 1000


class StateStoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks keep for their next tries, and for assets (AIP-103)."""

    #: Whether a task instance's own values are removed when it succeeds.
    clear_on_success: bool = False
    #: Days that a task's own value lasts if its author does not say how long; 0: for ever. Values of assets stay.
    default_retention_days: int = 30
    #: Bytes of a value beyond which the task's log says that it is large; 0: never.
    max_value_storage_bytes: int = 65535
    #: Dotted path of a class in the runner's image or bundle, with the interface of Airflow's state store backends. It
    #: keeps the values, and the server only where each is. Empty: the server keeps the values.
    worker_backend: str = ""

    def for_runners(self) -> dict[str, Any]:
        """Returns what the answer to PATCH /run tells runners; nothing where all is at its defaults."""
        names = ("default_retention_days", "max_value_storage_bytes", "worker_backend")
        changes = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(_STORE_DEFAULTS, name)}
        return {"state_store": changes} if changes else {}


_STORE_DEFAULTS = StateStoreSettings()


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics, for a Prometheus."""

    #: TCP port of /metrics, as plain HTTP and apart from the API; 0: none.
    port: int = 0
    #: Address to listen on. The default is reachable from this machine only.
    host: str = "127.0.0.1"


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All sections, as in the file and in the environment."""

    api: ApiSettings = ApiSettings()
    database: DatabaseSettings = DatabaseSettings()
    jwt: JwtSettings = JwtSettings()
    logging: LoggingSettings = LoggingSettings()
    local: LocalSettings = LocalSettings()
    parse: ParseSettings = ParseSettings()
    core: dag_settings.CoreSettings = dag_settings.CoreSettings()
    operators: dag_settings.OperatorsSettings = dag_settings.OperatorsSettings()
    sensors: dag_settings.SensorsSettings = dag_settings.SensorsSettings()
    email: dag_settings.EmailSettings = dag_settings.EmailSettings()
    scheduler: dag_settings.SchedulerSettings = dag_settings.SchedulerSettings()
    dag_processor: DagProcessorSettings = DagProcessorSettings()
    encryption: EncryptionSettings = EncryptionSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    exchange: ExchangeSettings = ExchangeSettings()
    access: AccessSettings = AccessSettings()
    metrics: MetricsSettings = MetricsSettings()
    secrets: SecretsSettings = SecretsSettings()
    state_store: StateStoreSettings = StateStoreSettings()


#: Asks the secrets backends for a setting that is given as KEY_SECRET; None if nobody has it.
Ask = Callable[[SecretsSettings, str], str | None]


def load_settings(home: Path, environ: Mapping[str, str], ask: Ask | None = None) -> ServerSettings:
    """Returns the settings of a home; raises SettingsError, which names the source and the fix."""
    return read_settings(home, environ, ask)[0]


def read_settings(home: Path, environ: Mapping[str, str], ask: Ask | None = None) -> tuple[ServerSettings, Origins]:
    """Does the same, and returns beside the settings where each comes from that is not at its default."""
    lookup = None if ask is None else lambda settings, name: ask(settings.secrets, name)
    settings, origins = read(ServerSettings, environ, home / SETTINGS_FILE, lookup)
    if bool(settings.api.tls_cert) != bool(settings.api.tls_key):
        raise SettingsError("[api] tls_cert and tls_key go together: set both for HTTPS, or neither")
    if settings.logging.level not in {"debug", "info", "warning", "error"}:
        raise SettingsError(f"[logging] level is {settings.logging.level!r}; use debug, info, warning or error")
    for name in ("default_retention_days", "max_value_storage_bytes"):
        if (value := getattr(settings.state_store, name)) < 0:
            raise SettingsError(f"[state_store] {name} is {value}; use 0 or more")
    for name in ("parsing_processes", "dag_file_processor_timeout", "bundle_refresh_check_interval"):
        if (value := getattr(settings.dag_processor, name)) <= 0:
            raise SettingsError(f"[dag_processor] {name} is {value:g}; use a number above 0")
    for name in ("pool_size", "statement_seconds", "lock_seconds"):
        if (value := getattr(settings.database, name)) <= 0:
            raise SettingsError(f"[database] {name} is {value:g}; use a number above 0")
    dag_settings.check(settings)
    return settings, origins
