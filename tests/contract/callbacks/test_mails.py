"""The mails about a task, by our command and by Airflow's dag.test(): handed over alike, to the same, in the same words."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from doubles import mailserver
from doubles.mailserver import LOGIN, PASSWORD, MailServer

DATE = "2026-01-02T00:00:00+00:00"
DRIVER = Path(__file__).parents[1] / "examples/drivers/run_dags.py"
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
def mails(airflow_python, airflow_env, tmp_path_factory):
    """The mails by whose command, each as one line."""
    folder = tmp_path_factory.mktemp("mails")
    bundle, home = folder / "bundle", folder / "airflow"
    bundle.mkdir()
    home.mkdir()
    (bundle / "mails.py").write_text(FILE)
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
            connection = {
                "conn_type": "smtp",
                "host": "localhost",
                "port": server.port,
                "login": LOGIN,
                "password": PASSWORD,
            }
            told = {"AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(connection | {"extra": extra})}
            if whose == "theirs":
                _theirs(airflow_python, airflow_env | settings | told, bundle, home, folder)
            else:
                told = {name.replace("AIRFLOW", "AIRLOCK"): value for name, value in told.items()}
                _ours(settings, told, bundle, folder)
        taken[whose] = sorted(
            [mail.message["Subject"], mail.sender, mail.to, mail.message["From"], mail.message["To"], mail.body.strip(),
             mail.encrypted, mail.login]
            for mail in server.mails
        )  # fmt: skip
    return taken


def _theirs(airflow_python, environ, bundle, home, folder):
    kind = "airflow.dag_processing.bundles.local.LocalDagBundle"
    listed = [{"name": "bundle", "classpath": kind, "kwargs": {"path": str(bundle)}}]
    environ = environ | {
        "AIRFLOW_HOME": str(home),
        "HOME": str(home),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(listed),
    }
    migrate = [airflow_python, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, env=environ, capture_output=True, timeout=300, check=True)
    done = subprocess.run(
        [airflow_python, DRIVER, DATE, folder / "answer.json"],
        input=json.dumps([["bundle", str(bundle), DAGS]]), env=environ, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-4000:]


def _ours(settings, told, bundle, folder):
    given = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    for dag_id in DAGS:
        words = [sys.executable, "-m", "airlock_server", "dags", "test", bundle / "mails.py", dag_id, DATE, *given]
        environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(folder / "home")} | told
        subprocess.run(words, env=environ, capture_output=True, timeout=100, check=False)


@pytest.mark.timeout(600)
def test_the_same_mails_are_sent(mails):
    assert mails["theirs"] == mails["ours"]
    assert ["fails fails 1 2026-01-02", "one_text fails 1 2026-01-02", "quiet_retry fails 2 2026-01-02",
            "retried fails 1 2026-01-02", "retried fails 2 2026-01-02"] == [mail[0] for mail in mails["ours"]]  # fmt: skip
