"""What keeps an executor from starting, what is a warning, and what an administrator can accept. And a rerun's answer."""

import msgspec
import pytest

from airlock_executor import preflight, recovery, rerun
from airlock_executor.launch.following import Launch
from airlock_executor.launch.outcomes import End, Outcome
from airlock_executor.preflight import FORBIDDEN, NEEDED, Facts
from airlock_executor.probes import NOBODYS, Reply
from airlock_executor.rerun import Answer
from airlock_executor.settings import Settings

SETTINGS = Settings(namespace="airflow", image="i")
RIGHTS = {("airflow", *right): True for right in NEEDED} | {("airflow", *right): False for right in FORBIDDEN}
FINE = Facts(rights=RIGHTS)


def names(**changes):
    return [finding.name for finding in preflight.findings(msgspec.structs.replace(FINE, **changes), SETTINGS)]


def test_what_is_fine_has_no_findings():
    assert [] == names()


@pytest.mark.parametrize(
    ("changes", "name", "error"),
    [
        ({"unreachable": "connection refused"}, "cluster", True),
        ({"installed": False}, "resource", True),
        ({"missing_fields": ("priority",)}, "resource-version", True),
        ({"rights": RIGHTS | {("airflow", "create", "secrets"): False}}, "rights", True),
        ({"rights": RIGHTS | {("airflow", "create", "pods"): True}}, "too-many-rights", False),
        ({"rights": RIGHTS | {("airflow", "create", "pods/exec"): True}}, "too-many-rights", False),
        ({"jwt_expiration_seconds": 60.0}, "jwt-expiration", True),
        ({"heartbeat_timeout_seconds": 30.0}, "heartbeat-timeout", True),
        # Airflow's defaults: as long as the outage, and a token that may be near its end when that begins.
        ({"heartbeat_timeout_seconds": 300.0}, "heartbeat-timeout", False),
        ({"jwt_expiration_seconds": 600.0}, "jwt-expiration", False),
        ({"signing_key": False}, "jwt-secret", True),
        ({"remote_logging": False}, "remote-logging", False),
        ({"secrets_backend": "acme.Vault"}, "secrets-backend", False),
        ({"queued_timeout_seconds": 7200.0}, "pending-timeout", False),
        ({"file_errors": ("policy file p: no",)}, "file", True),
        ({"absent_bundles": ("bundle 'dags-folder' is in /dags, which holds no DAG file",)}, "dag-files", False),
        ({"variables": 65}, "variables", True),
        ({"replies": (Reply("variables", NOBODYS, failure="refused"),)}, "api-server", True),
        ({"replies": (Reply("variables", NOBODYS, 500),)}, "api-server", True),
        ({"replies": (Reply("variables", NOBODYS, 401),)}, "jwt-secret", True),
        ({"replies": (Reply("variables", NOBODYS, 403),)}, "jwt-secret", True),
        ({"replies": (Reply("variables", NOBODYS, 404, 8.0),)}, "secrets-backend", False),
        ({"replies": (Reply("connections", "warehouse", 404),)}, "secrets-backend", True),
        ({"replies": (Reply("connections", "AIRFLOW_DB", 200),)}, "database-connection", False),
        (
            {"secrets_backend": "acme.Vault", "replies": (Reply("connections", "AIRFLOW_DB", 404),)},
            "secrets-backend",
            False,
        ),
        ({"secrets_backend": "acme.Vault", "replies": (Reply("variables", NOBODYS, 404),)}, "secrets-backend", False),
    ],
)
def test_each_fault_is_a_finding_of_its_name(changes, name, error):
    (finding,) = preflight.findings(msgspec.structs.replace(FINE, **changes), SETTINGS)

    assert (name, error) == (finding.name, finding.error)


@pytest.mark.parametrize(
    "reply",
    [
        Reply("variables", NOBODYS, 404, 0.1),
        Reply("connections", "warehouse", 200, 0.1),
        Reply("connections", "AIRFLOW_DB", 404, 0.1),
    ],
)
def test_an_api_server_that_answers_as_it_should_is_not_a_finding(reply):
    assert [] == names(replies=(reply,))


def test_a_connection_that_the_api_server_has_answers_for_the_secrets_backend():
    assert [] == names(replies=(Reply("connections", "warehouse", 200),), secrets_backend="acme.Vault")


def test_a_definition_that_may_not_be_read_is_not_a_fault():
    assert [] == names(missing_fields=None)


def test_an_error_is_refused_unless_it_is_accepted():
    every = preflight.findings(msgspec.structs.replace(FINE, jwt_expiration_seconds=60.0, signing_key=False), SETTINGS)
    told = msgspec.structs.replace(SETTINGS, accept="jwt-expiration, other")

    assert {"jwt-expiration", "jwt-secret"} == {finding.name for finding in preflight.refused(every, SETTINGS)}
    assert ["jwt-secret"] == [finding.name for finding in preflight.refused(every, told)]


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (204, b"", Answer.SAVED),
        (409, b'{"detail": {"reason": "invalid_state", "previous_state": "queued"}}', Answer.QUEUED),
        (409, b'{"detail": {"reason": "invalid_state", "previous_state": "success"}}', Answer.OVER),
        (409, b"<html>", Answer.OVER),
        (404, b"", Answer.OVER),
        (410, b"", Answer.OVER),
        (403, b"", Answer.AWAY),
        (500, b"", Answer.AWAY),
        (502, b"<html>", Answer.AWAY),
    ],
)
def test_an_answer_of_airflows_api_server_decides_about_a_try(status, body, answer):
    assert answer is rerun.read(status, body)


@pytest.mark.parametrize(
    ("end", "losses", "resumed", "options", "allowed"),
    [
        (End.SAVE, 0, False, {}, True),
        (End.SAVE, 0, True, {}, False),
        (End.SAVE, 0, True, {"rerun_resumed": True}, True),
        (End.SAVE, 0, False, {"rerun_after_start": False}, False),
        (End.SAVE, 3, False, {}, False),
        (End.ANEW, 0, True, {"rerun_after_start": False}, True),
        (End.ANEW, 3, False, {}, False),
    ],
)
def test_what_the_platform_took_is_made_good_within_bounds(end, losses, resumed, options, allowed):
    launch = Launch("key", "airflow", "run", "ti", losses=losses, resumed=resumed)
    why_not = recovery.refusal(launch, Outcome(end, "Evicted"), msgspec.structs.replace(SETTINGS, **options))

    assert allowed == (why_not == "")
