"""Day two in a cluster: the database backed up and restored by the commands of the guide, and the certificate's renewal."""

import subprocess

import pytest

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]


def in_server(system, *words, stdin=None):
    command = [
        "kubectl",
        "--kubeconfig",
        system.kubeconfig,
        "-n",
        system.namespace,
        "exec",
        "-i",
        "deploy/airlock-server",
    ]
    done = subprocess.run(
        [*command, "--", "airlock", *words], input=stdin, capture_output=True, timeout=90, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_a_backup_that_is_restored_has_what_was_there_when_it_was_made(system):
    in_server(system, "variables", "set", "kept-in-backup", "before")
    copy = in_server(system, "db", "backup", "-")
    in_server(system, "variables", "set", "kept-in-backup", "after")
    in_server(system, "db", "restore", "-", stdin=copy)
    assert b"after" in in_server(system, "variables", "get", "kept-in-backup")
    system("rollout", "restart", "deployment/airlock-server")
    system("rollout", "status", "deployment/airlock-server", "--timeout=90s", seconds=100)

    assert b"before" in in_server(system, "variables", "get", "kept-in-backup")
    in_server(system, "variables", "delete", "kept-in-backup")


def test_the_renewal_of_the_certificate_runs_and_changes_nothing_that_is_valid(system):
    before = system.get("secret", "airlock-server-tls")["data"]
    system("create", "job", "renewal-now", "--from=cronjob/airlock-renewal")
    try:
        system("wait", "--for=condition=Complete", "job/renewal-now", "--timeout=120s", seconds=130)
    finally:
        system("delete", "job", "renewal-now")

    assert before == system.get("secret", "airlock-server-tls")["data"]
