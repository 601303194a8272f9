"""Whom the exchange gives a token, and what a task may then read: policy, on the real cluster."""

from kube.taskruns import dag_id, finished, logs, outcome, status, taskrun

_PLANT = """
import sqlite3, sys
conn = sqlite3.connect("/var/lib/airlock/home/airlock.db", timeout=20)
with conn:
    conn.execute("INSERT INTO dag (dag_id, owner, claimed_at) VALUES (?, 'bundle:finance', '2026-01-01 00:00:00')", sys.argv[1:])
"""


def test_a_taskrun_cannot_name_a_dag_that_the_scheduler_owns(team, system):
    system("exec", "deploy/airlock-server", "--", "python", "-c", _PLANT, dag_id("planted"))
    team.apply(taskrun("planted"))
    run = finished(team, "planted")

    assert ("failed", "Denied", 1, 1) == outcome(run)
    assert "bundle:finance" in status(run)["message"]


READS = """
for name, read in (("variable", Variable.get), ("connection", Connection.get)):
    try:
        print(name, "was", "read" if read("shared") else "empty")
    except Exception as e:
        print(name, "was denied:", e)
"""


def test_what_was_granted_to_another_namespace_is_denied_and_the_missing_grant_is_named(team, system):
    def airlock(*words):
        system("exec", "deploy/airlock-server", "--", "airlock", *words)

    airlock("variables", "set", "shared", "for somebody else")
    airlock("connections", "set", "shared", "--uri", "http://user:password-of-another@db.example/x")
    for kind in ("variable", "connection"):
        airlock("grants", "add", kind, "shared", "--namespace", "somebody-else")
    team.apply(taskrun("reader", READS))
    finished(team, "reader")
    text = str(logs(team, "reader-1"))

    for kind in ("variable", "connection"):
        assert f"{kind} was denied" in text
        assert f"airlock grants add {kind} shared --namespace {team.namespace}" in text
    assert "for somebody else" not in text
    for kind in ("variable", "connection"):
        airlock("grants", "add", kind, "shared", "--namespace", team.namespace)
    team.apply(taskrun("granted", READS))
    finished(team, "granted")

    assert "variable was read" in str(logs(team, "granted-1"))


def test_every_exchange_leaves_an_audit_line_and_no_token(team, system):
    team.apply(taskrun("audited"))
    finished(team, "audited")
    lines = [line for line in system("logs", "deploy/airlock-server").splitlines() if f"{team.namespace}" in line]

    assert [line for line in lines if "audited-1" in line]
    assert [] == [line for line in lines if "eyJ" in line]
