"""Finds out what a preflight needs to know, and refuses to start where it must."""

import logging
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from airflow.configuration import conf
from airflow.executors.base_executor import BaseExecutor, get_execution_api_server_url

from airlock_executor import access, preflight, probes
from airlock_executor.access import Policy, PolicyError
from airlock_executor.airflow import configuration, dag_files
from airlock_executor.background import Background
from airlock_executor.kube import errors
from airlock_executor.kube.api import Cluster
from airlock_executor.preflight import Facts, Finding
from airlock_executor.settings import Settings
from airlock_wire.workload import SERVICE_CONNECTIONS

log = logging.getLogger(__name__)

_SECONDS = 30.0


class NotReady(RuntimeError):
    """The executor does not start. The text has every reason, and how to accept it."""


def policy(settings: Settings) -> Policy | None:
    """Returns the administrator's policy; None without a file. Raises PolicyError."""
    if not settings.policy_file:
        return None
    try:
        text = Path(settings.policy_file).read_text()
    except OSError as e:
        raise PolicyError(f"policy file {settings.policy_file}: {e.strerror}; correct [airlock] policy_file") from e
    return access.read(text, settings.policy_file)


def require(background: Background, settings: Settings) -> None:
    """
    Logs every finding; raises NotReady for errors that are not accepted. A Kubernetes API that is away is one for a
    while: the executor waits for it as for any other call.
    """
    try:
        facts = background.call(lambda cluster: gather(cluster, settings), _SECONDS)
    except errors.Busy as e:
        log.warning("the Kubernetes API cannot be asked yet, so nothing was checked: %s", e)
        return
    except errors.KubernetesError as e:
        facts = Facts(unreachable=str(e))
    every = preflight.findings(facts, settings)
    for finding in every:
        log.log(logging.ERROR if finding.error else logging.WARNING, "%s: %s", finding.name, finding.text)
    refused = preflight.refused(every, settings)
    if refused:
        background.stop(_SECONDS)
        raise NotReady(words(refused))


def words(refused: list[Finding]) -> str:
    """Returns why the executor does not start."""
    lines = [f"{finding.name}: {finding.text}" for finding in refused]
    names = ",".join(sorted({finding.name for finding in refused}))
    return "\n".join([*lines, f"or accept it: [airlock] accept = {names}"])


async def gather(cluster: Cluster, settings: Settings) -> Facts:
    """Returns the facts of this Airflow and its cluster; raises errors.KubernetesError."""
    installed, missing = await _resource(cluster)
    rights = {
        (namespace, verb, resource): await cluster.may(namespace, verb, resource)
        for namespace in settings.namespaces
        for verb, resource in (*preflight.NEEDED, *preflight.FORBIDDEN)
    }
    return Facts(
        missing_fields=missing,
        installed=installed,
        rights=rights,
        jwt_expiration_seconds=conf.getfloat("execution_api", "jwt_expiration_time"),
        heartbeat_timeout_seconds=conf.getfloat("scheduler", "task_instance_heartbeat_timeout"),
        queued_timeout_seconds=conf.getfloat("scheduler", "task_queued_timeout"),
        remote_logging=conf.getboolean("logging", "remote_logging"),
        log_folder=conf.get("logging", "base_log_folder"),
        signing_key=bool(
            conf.get("api_auth", "jwt_secret", fallback="") or conf.get("api_auth", "jwt_private_key_path", fallback="")
        ),
        secrets_backend=conf.get("secrets", "backend", fallback="") or "",
        variables=len(configuration.environ_of_tasks()),
        file_errors=tuple(_file_errors(settings)),
        absent_bundles=dag_files.absent(settings),
    )


def with_replies(facts: Facts, connections: list[str], variables: list[str]) -> Facts:
    """Returns the facts with what the API server answers to a task's questions. Without a key it asks nothing."""
    if not facts.signing_key:
        return facts
    api_url = get_execution_api_server_url(conf)
    claims = {"sub": str(uuid4()), "scope": "execution"}
    token = BaseExecutor().jwt_generator.generate(extras=claims, valid_for=_SECONDS)
    questions = [("variables", probes.NOBODYS), *(("connections", each) for each in SERVICE_CONNECTIONS)]
    questions += [("connections", each) for each in connections] + [("variables", each) for each in variables]
    replies = tuple(probes.ask(api_url, token, kind, name) for kind, name in questions)
    return msgspec.structs.replace(facts, api_url=api_url, replies=replies)


def _file_errors(settings: Settings) -> list[str]:
    failures = []
    try:
        policy(settings)
    except PolicyError as e:
        failures.append(str(e))
    template = settings.pod_template_file
    if template and not Path(template).is_file():
        failures.append(
            f"pod template {template} is not a file: correct pod_template_file in [airlock] or [kubernetes_executor]. "
            "Airflow's chart writes its own for KubernetesExecutor alone, and names it for every executor: in its "
            "values set config.kubernetes_executor.pod_template_file to an empty text"
        )
    return failures


async def _resource(cluster: Cluster) -> tuple[bool, tuple[str, ...] | None]:
    """Returns whether the resource is installed, and its missing fields; None if this account may not see them."""
    try:
        await cluster.versions()
    except errors.NotFound:
        return False, ()
    try:
        definition = await cluster.definition()
    except errors.NotAllowed:
        return True, None
    except errors.NotFound:
        return False, ()
    return True, tuple(field for field in preflight.FIELDS if field not in _fields(definition))


def _fields(definition: dict[str, Any]) -> set[str]:
    fields: set[str] = set()
    for version in definition.get("spec", {}).get("versions", []):
        schema = version.get("schema", {}).get("openAPIV3Schema", {})
        fields |= set(schema.get("properties", {}).get("spec", {}).get("properties", {}))
    return fields
