"""The mails about a task, by our command and by Airflow's dag.test(): handed over alike, to the same, in the same words."""

import json

import pytest
from doubles import mailserver
from doubles.mailserver import LOGIN, PASSWORD, MailServer

FILE = """
from datetime import timedelta
from airflow.sdk import DAG, task

def dag(dag_id, **options):
    with DAG(dag_id, default_args={"email": ["ops@team.example", "dev@team.example"]}):
        @task(retry_delay=timedelta(0), **options)
        def fails():
            raise RuntimeError("a <b> &\\n\\"c\\"")
        fails()

dag("fails")
dag("retried", retries=1)
dag("quiet_retry", retries=1, email_on_retry=False)
dag("quiet", email_on_failure=False)
dag("one_text", email="ops@team.example; more@team.example")
dag("nobody", email=None)

with DAG("succeeds"):
    @task(email="ops@team.example")
    def succeeds(): ...
    succeeds()
"""
DAGS = ["fails", "retried", "quiet_retry", "quiet", "one_text", "nobody", "succeeds"]
SUBJECT = "{{ dag.dag_id }} {{ ti.task_id }} {{ ti.try_number }} {{ ds }}"
BODY = "{{ exception }}|{{ exception_html }}|{{ try_number }}|{{ max_tries }}|{{ params }}"


@pytest.fixture(scope="module")
def mails(run_by_airflow, run_by_us, tmp_path_factory):
    """The mails by whose command, each as one line."""
    folder = tmp_path_factory.mktemp("mails")
    (folder / "bundle").mkdir()
    (folder / "bundle" / "mails.py").write_text(FILE)
    (folder / "subject").write_text(SUBJECT)
    (folder / "body").write_text(BODY)
    settings = {
        "AIRFLOW__EMAIL__SUBJECT_TEMPLATE": str(folder / "subject"),
        "AIRFLOW__EMAIL__HTML_CONTENT_TEMPLATE": str(folder / "body"),
        "AIRFLOW__EMAIL__FROM_EMAIL": "Airflow of a team <airflow@team.example>",
    }
    taken = {}
    for whose in ("theirs", "ours"):
        with mailserver.running(MailServer(), folder, starttls=True) as server:
            extra = json.dumps({"disable_ssl": True, "ssl_context": "none"})
            given = {
                "conn_type": "smtp",
                "host": "localhost",
                "port": server.port,
                "login": LOGIN,
                "password": PASSWORD,
            }
            connection = json.dumps(given | {"extra": extra})
            if whose == "theirs":
                run_by_airflow(folder, DAGS, settings | {"AIRFLOW_CONN_SMTP_DEFAULT": connection})
            else:
                run_by_us(folder, DAGS, settings, {"AIRLOCK_CONN_SMTP_DEFAULT": connection})
        taken[whose] = sorted(
            [mail.message["Subject"], mail.sender, mail.to, mail.message["From"], mail.message["To"], mail.body.strip(),
             mail.encrypted, mail.login]
            for mail in server.mails
        )  # fmt: skip
    return taken


@pytest.mark.timeout(600)
def test_the_same_mails_are_sent(mails):
    assert mails["theirs"] == mails["ours"]
    assert ["fails fails 1 2026-01-02", "one_text fails 1 2026-01-02", "quiet_retry fails 2 2026-01-02",
            "retried fails 1 2026-01-02", "retried fails 2 2026-01-02"] == [mail[0] for mail in mails["ours"]]  # fmt: skip
