"""
Says what of an Airflow and of its cluster would make tasks fail or open what should be closed. Pure.

A finding is an error or a warning. An error that is not accepted by its name keeps the executor from starting.
"""

import msgspec

from airlock_executor.probes import NOBODYS, Reply
from airlock_executor.settings import Settings, seconds
from airlock_wire.workload import SERVICE_CONNECTIONS


class Facts(msgspec.Struct, frozen=True):
    """What was found out. ``rights`` has, by namespace, verb and resource, whether this account may."""

    #: The fields of the TaskRun's definition that are missing; None if the definition could not be read.
    missing_fields: tuple[str, ...] | None = ()
    #: Whether the resource is installed.
    installed: bool = True
    rights: dict[tuple[str, str, str], bool] = {}
    #: Seconds, of Airflow's settings.
    jwt_expiration_seconds: float = 1500.0
    heartbeat_timeout_seconds: float = 600.0
    queued_timeout_seconds: float = 600.0
    remote_logging: bool = True
    log_folder: str = ""
    #: Whether the tokens are signed with a key of Airflow's configuration.
    signing_key: bool = True
    secrets_backend: str = ""
    #: How many variables every task gets.
    variables: int = 0
    #: Why the file of policies or of the pod template cannot be used.
    file_errors: tuple[str, ...] = ()
    #: For each local bundle whose files tasks will hardly have, where this container has them.
    absent_bundles: tuple[str, ...] = ()
    unreachable: str = ""
    #: Where the API server is, and what it answered to whom asked as a task.
    api_url: str = ""
    replies: tuple[Reply, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, by a name that ``[airlock] accept`` can hold, and what to do."""

    name: str
    text: str
    error: bool = True


#: What the executor does, and what it must not be able to: whoever can makes pods or enters them has the tokens.
NEEDED = (
    ("create", "taskruns.airlock.dev"),
    ("get", "taskruns.airlock.dev"),
    ("list", "taskruns.airlock.dev"),
    ("watch", "taskruns.airlock.dev"),
    ("patch", "taskruns.airlock.dev"),
    ("create", "secrets"),
    ("patch", "secrets"),
)
FORBIDDEN = (("create", "pods"), ("create", "pods/exec"), ("get", "secrets"), ("list", "secrets"))
#: Fields that an older definition lacks.
FIELDS = ("taskInstanceId", "dagVersionId", "priority", "access", "infraBudget")
#: How many variables a TaskRun's pod has at most.
MOST_VARIABLES = 64
#: How long a server may be away without a task failing for it (docs/failures.md).
TOLERATED_SECONDS = 300.0
#: Airflow gives a task another token when a fifth of the life of its own is left.
_TOKEN_SECONDS = 5 * TOLERATED_SECONDS
#: The last heartbeat may be old already, and the next one need not be the first request that is answered.
_HEARTBEAT_SECONDS = 2 * TOLERATED_SECONDS
#: An API server that takes longer for a variable waits for something, mostly for a secrets backend.
_SLOW_SECONDS = 5.0


def findings(facts: Facts, settings: Settings) -> list[Finding]:
    """Returns what is wrong, the worst first."""
    if facts.unreachable:
        return [Finding("cluster", f"the Kubernetes API cannot be asked: {facts.unreachable}")]
    every = [*_of_cluster(facts), *_of_airflow(facts, settings)]
    for reply in facts.replies:
        every += _of_reply(reply, facts.api_url)
    return sorted(every, key=lambda finding: not finding.error)


def refused(every: list[Finding], settings: Settings) -> list[Finding]:
    """Returns the errors that are not accepted."""
    return [finding for finding in every if finding.error and finding.name not in settings.accepted]


def _of_cluster(facts: Facts) -> list[Finding]:
    results = []
    if not facts.installed:
        results.append(
            Finding("resource", "the resource taskruns.airlock.dev/v1alpha1 is not installed: install Airlock's chart")
        )
    if facts.missing_fields:
        fields = ", ".join(facts.missing_fields)
        results.append(Finding("resource-version", f"TaskRuns have no {fields}: upgrade Airlock's chart"))
    for (namespace, verb, resource), allowed in facts.rights.items():
        if (verb, resource) in NEEDED and not allowed:
            text = f"this account may not {verb} {resource} in namespace {namespace}: give it the Role of the guide"
            results.append(Finding("rights", text))
        elif (verb, resource) in FORBIDDEN and allowed:
            text = (
                f"this account may {verb} {resource} in namespace {namespace}, so whoever takes over the scheduler's "
                "pod has every task's token: remove the Role that KubernetesExecutor needed"
            )
            results.append(Finding("too-many-rights", text, error=False))
    return results


def _of_airflow(facts: Facts, settings: Settings) -> list[Finding]:
    results = [Finding("file", text) for text in facts.file_errors]
    for clause in facts.absent_bundles:
        text = (
            f"{clause}: a task has the files of its own image. Put them there, mount the volume by the pod template, "
            "or let the bundle be fetched, by bundles in the values of Airlock's chart"
        )
        results.append(Finding("dag-files", text, error=False))
    if facts.variables > MOST_VARIABLES:
        text = (
            f"every task would get {facts.variables} settings of the scheduler as variables, and a TaskRun has "
            f"{MOST_VARIABLES} at most: leave those to the image, or to a ConfigMap in envFrom of the pod template"
        )
        results.append(Finding("variables", text))
    if not facts.signing_key:
        results.append(
            Finding(
                "jwt-secret", "[api_auth] jwt_secret and jwt_private_key_path are empty: set the API server's here, too"
            )
        )
    for name, option, value, enough in (
        ("jwt-expiration", "[execution_api] jwt_expiration_time", facts.jwt_expiration_seconds, _TOKEN_SECONDS),
        (
            "heartbeat-timeout",
            "[scheduler] task_instance_heartbeat_timeout",
            facts.heartbeat_timeout_seconds,
            _HEARTBEAT_SECONDS,
        ),
    ):
        if value < enough:
            text = f"{option} is {value:g}: tasks may fail if the API server is away for {TOLERATED_SECONDS:g} s; "
            results.append(Finding(name, f"{text}set {enough:g}", error=value < TOLERATED_SECONDS))
    if not facts.remote_logging:
        text = (
            f"[logging] remote_logging is False: a log is gone with its pod, unless {facts.log_folder} is a volume "
            "that the sidecars write to; set it, and logs.store in the chart of Airlock"
        )
        results.append(Finding("remote-logging", text, error=False))
    pending = seconds(settings.pending_timeout)
    if pending < facts.queued_timeout_seconds:
        text = (
            f"[airlock] pending_timeout is {settings.pending_timeout}, less than [scheduler] task_queued_timeout: a "
            "task fails before Airflow finds that it waits long"
        )
        results.append(Finding("pending-timeout", text, error=False))
    # Who asked for something that only the backend has knows more.
    if facts.secrets_backend and not any(_of_users(reply) for reply in facts.replies):
        text = (
            f"[secrets] backend is {facts.secrets_backend}: the API server must have it, too, as it answers for "
            "connections and variables. Let the check ask for one that only the backend has: --connection, --variable"
        )
        results.append(Finding("secrets-backend", text, error=False))
    return results


def _of_users(reply: Reply) -> bool:
    """Tells whether somebody has named what was asked for; the check asks for more by itself."""
    return reply.name not in (NOBODYS, *SERVICE_CONNECTIONS)


def _of_reply(reply: Reply, api_url: str) -> list[Finding]:
    what = f"{reply.kind.removesuffix('s')} {reply.name!r}"
    if reply.failure:
        text = f"{api_url} cannot be asked: {reply.failure}; correct [core] execution_api_server_url"
        return [Finding("api-server", text)]
    if reply.status in (401, 403):
        text = (
            f"the API server refuses a token of this scheduler ({reply.status}): set the same [api_auth] jwt_secret, "
            "or the same keys, and the same jwt_audience for both"
        )
        return [Finding("jwt-secret", text)]
    if reply.status not in (200, 404):
        text = f"the API server answered {reply.status} to the question for {what}: its log says why"
        return [Finding("api-server", text)]
    if reply.status == 200 and reply.name in SERVICE_CONNECTIONS:
        text = (
            f"the API server gives tasks {what}, which holds the password of Airflow's own database. Airlock's "
            "sidecars refuse it, unless a policy names it, and tasks of other executors get it: set "
            "enableBuiltInSecretEnvVars.AIRFLOW_CONN_AIRFLOW_DB to false in the values of Airflow's chart"
        )
        return [Finding("database-connection", text, error=False)]
    if reply.status == 404 and _of_users(reply):
        text = f"the API server does not know {what}: give it the [secrets] backend that does, and a way to it"
        return [Finding("secrets-backend", text)]
    if reply.seconds > _SLOW_SECONDS:
        text = (
            f"the API server took {reply.seconds:.0f} s for {what}: each task waits as long; look whether it reaches "
            "its secrets backend"
        )
        return [Finding("secrets-backend", text, error=False)]
    return []
