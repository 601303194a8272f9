"""Airflow's own scheduler code with the executor: what becomes of a task instance when its TaskRun comes to something."""

import base64
import json
import socket

import pytest


def the_taskrun(api, name):
    return api.taskruns["airflow", name]


def test_a_task_runs_as_a_taskrun_and_its_state_stays_its_runners(api, drive):
    found = drive("scheduler.py", {"scenario": "succeeds"})

    assert ("success", 1) == (found["state"], found["try"])
    spec = the_taskrun(api, found["name"])["spec"]
    assert ("sales", "load", "r", 1, -1) == tuple(
        spec[field] for field in ("dagId", "taskId", "runId", "tryNumber", "mapIndex")
    )
    assert ("airflow", "Secret", found["id"]) == tuple(spec[field] for field in ("runner", "token", "taskInstanceId"))
    assert "dags-folder" == spec["bundle"]["name"]
    assert spec["bundle"]["path"].endswith("/dags")
    assert found["executor_id"] == the_taskrun(api, found["name"])["metadata"]["labels"]["airlock.dev/launch"]


def test_the_token_is_airflows_for_this_task_instance_and_in_the_secret_alone(api, drive):
    found = drive("scheduler.py", {"scenario": "succeeds"})
    token = api.token(found["name"])
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    assert (found["id"], "workload") == (claims["sub"], claims["scope"])
    assert 600 == claims["exp"] - claims["iat"]
    everything = str(api.taskruns) + str([path for _, path, _ in api.calls])
    assert token not in everything
    assert found["workload_token"] not in everything + str(api.secrets)


def test_settings_pass_to_the_task_and_credentials_do_not(api, drive, tmp_path):
    (tmp_path / "airflow.cfg").write_text(
        "[email]\nsubject_template = /s\n[core]\nfernet_key = k\n[smtp]\nsmtp_host = h"
    )
    found = drive("scheduler.py", {"scenario": "succeeds"}, AIRFLOW_CONFIG=str(tmp_path / "airflow.cfg"))
    env = {each["name"]: each["value"] for each in the_taskrun(api, found["name"])["spec"]["pod"]["env"]}

    assert "airflow@example.com" == env["AIRFLOW__EMAIL__FROM_EMAIL"]
    # A task has no airflow.cfg, so what is set there comes as variables.
    assert ("/s", "h") == (env["AIRFLOW__EMAIL__SUBJECT_TEMPLATE"], env["AIRFLOW__SMTP__SMTP_HOST"])
    assert 5 == len(env)


def test_the_schedulers_own_connections_go_to_the_sidecar_alone(api, drive):
    found = drive("scheduler.py", {"scenario": "succeeds"})
    data = api.secrets["airflow", f"airlock-token-{found['name']}"]["data"]
    given = json.loads(base64.b64decode(data["lookups.json"]))

    fields = {"conn_id": "WAREHOUSE", "conn_type": "postgres", "host": "h", "login": "u", "password": "secret"}
    assert fields | {"schema": "d", "port": None, "extra": None} == given["connections"]["WAREHOUSE"]
    assert "secret@h" not in str(api.taskruns)


def test_the_database_that_airflows_chart_makes_a_connection_of_reaches_no_task(api, drive):
    """Planted: the chart's own variable, and one of another name with the same login."""
    database = "postgresql://airflow:the-password@db/airflow"
    found = drive(
        "scheduler.py", {"scenario": "succeeds"}, AIRFLOW_CONN_AIRFLOW_DB=database, AIRFLOW_CONN_REPORTS=f"{database}2",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC=database.replace("postgresql:", "postgresql+asyncpg:"),
    )  # fmt: skip
    data = api.secrets["airflow", f"airlock-token-{found['name']}"]["data"]
    given = base64.b64decode(data["lookups.json"]).decode()

    assert ["WAREHOUSE"] == list(json.loads(given)["connections"])
    assert "the-password" not in given + str(api.taskruns)


def test_a_pod_override_becomes_the_taskruns_pod_settings(api, drive):
    found = drive("scheduler.py", {"scenario": "succeeds", "override": True})
    spec = the_taskrun(api, found["name"])["spec"]

    assert ("images/other:2", "5s") == (spec["image"], spec["gracePeriod"])
    assert {"limits": {"memory": "1Gi"}} == spec["pod"]["resources"]
    assert ({"disk": "ssd"}, {"team": "sales"}) == (spec["pod"]["nodeSelector"], spec["pod"]["labels"])
    assert {"name": "MODE", "value": "fast"} in spec["pod"]["env"]


def test_a_pod_that_would_break_isolation_fails_its_task_in_words(api, drive):
    found = drive("scheduler.py", {"scenario": "refused"})

    assert {} == api.taskruns
    assert "up_for_retry" == found["state"]
    text = str(found["events"])
    assert "spec.shareProcessNamespace: user code would be beside its token" in text
    assert "spec.hostNetwork" in text


def test_a_crash_is_left_to_airflow_with_its_reason(drive):
    found = drive("scheduler.py", {"scenario": "killed"})

    assert "up_for_retry" == found["state"]
    assert ["airlock OOMKilled", "OOMKilled: its limit was 256Mi"] in found["events"]
    assert "Extra info: OOMKilled: its limit was 256Mi" in str(found["events"])


def test_a_late_end_does_not_hurt_the_launch_that_follows(drive):
    found = drive("scheduler.py", {"scenario": "late_end"})

    assert ("running", "success", 1) == (found["between"], found["state"], found["try"])


def test_a_task_that_waits_visibly_is_not_swept_as_stuck(drive):
    found = drive("scheduler.py", {"scenario": "stuck"})

    assert ("queued", 1) == (found["state"], found["running"])
    assert ["airlock QuotaExceeded"] == [event for event, _ in found["events"]]
    assert "exceeded quota: pods=3" in found["events"][0][1]


@pytest.mark.parametrize("state", ["running", "queued"])
def test_the_next_scheduler_adopts_what_the_last_one_launched(drive, state):
    found = drive("scheduler.py", {"scenario": "adopts", "state": state})

    assert (state, found["before"]["id"]) == (found["adopted"]["state"], found["adopted"]["id"])
    assert ("success", 1) == (found["after"]["state"], found["after"]["try"])


def test_what_runs_is_adopted_unseen_while_nothing_can_be_listed_and_followed_by_the_later_list(drive):
    found = drive("scheduler.py", {"scenario": "adopts_unseen"})

    assert ("running", found["before"]["id"]) == (found["adopted"]["state"], found["adopted"]["id"])
    assert ([found["name"]], 1) == (found["followed"], found["unseen"])
    assert "up_for_retry" == found["after"]["state"]
    assert ["airlock OOMKilled", "OOMKilled: its limit was 256Mi"] in found["after"]["events"]


def test_what_was_queued_is_reset_while_nothing_can_be_listed(drive):
    """Its launch may never have been made."""
    found = drive("scheduler.py", {"scenario": "adopts_unseen", "state": "queued"})

    assert (None, [], 0) == (found["adopted"]["state"], found["followed"], found["unseen"])


def test_a_policy_narrows_a_dag_by_the_tags_that_airflow_has_of_it(api, drive, tmp_path):
    rules = [
        {"tags": ["marketing"], "access": {"connections": ["everything"]}},
        {"tags": ["finance"], "access": {"connections": ["ledger"], "variables": []}},
    ]
    (tmp_path / "policy.yaml").write_text(json.dumps({"rules": rules}))
    found = drive("scheduler.py", {"scenario": "succeeds"}, AIRFLOW__AIRLOCK__POLICY_FILE=str(tmp_path / "policy.yaml"))

    assert {"connections": ["ledger"], "variables": []} == the_taskrun(api, found["name"])["spec"]["access"]


def test_what_was_queued_and_has_no_taskrun_is_scheduled_anew(api, drive):
    found = drive("scheduler.py", {"scenario": "never_launched"})

    assert {} == api.taskruns
    assert "queued" == found["before"]["state"]
    assert None is found["after"]["state"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def evict(drive):
    """Evicts a running task, beside Airflow's own API server."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/execution/"
    return lambda **given: drive(
        "scheduler.py", {"scenario": "evicted", **given}, API_PORT=port, AIRFLOW__CORE__EXECUTION_API_SERVER_URL=url
    )


def test_an_evicted_task_runs_again_on_the_same_try(api, evict):
    found = evict()

    assert ("up_for_reschedule", 1) == (found["after"]["state"], found["after"]["try"])
    assert found["before"]["id"] == found["after"]["id"]
    assert "scheduled again on the same try" in str(found["after"]["events"])
    assert ("success", 1) == (found["end"]["state"], found["end"]["try"])
    # The second eviction of a try would count as its second.
    assert "1" == the_taskrun(api, found["second"])["metadata"]["annotations"]["airlock.dev/losses"]


def test_an_evicted_task_that_had_been_deferred_is_left_to_airflow(evict):
    found = evict(deferred=True)

    assert "failed" == found["after"]["state"]
    assert "[airlock] rerun_resumed allows it" in str(found["after"]["events"])


def test_what_a_cleared_task_instance_waited_for_is_cancelled(api, drive):
    found = drive("scheduler.py", {"scenario": "cleared"})

    assert True is the_taskrun(api, found["first"])["spec"]["cancel"]
    assert "cancel" not in the_taskrun(api, found["second"])["spec"]
    assert ("success", 2) == (found["end"]["state"], found["end"]["try"])
