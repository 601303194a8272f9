"""The mail about a task that failed: who gets one, what it says, and which server takes it."""

import json

import pytest
from doubles import mailserver
from doubles.mailserver import LOGIN, PASSWORD, TOKEN, MailServer

NOT_THERE = {"type": "ErrorResponse", "error": "CONNECTION_NOT_FOUND", "detail": None}
OPTIONS = "retry_delay=7, email=['ops@team.example', 'dev@team.example']"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server that the settings name, as a task's environment does."""
    with mailserver.running(MailServer(), tmp_path) as own:
        for name, value in {"HOST": "127.0.0.1", "PORT": own.port, "STARTTLS": False}.items():
            monkeypatch.setenv(f"AIRFLOW__SMTP__SMTP_{name}", str(value))
        yield own


@pytest.fixture
def run(server, sidecar, task_file, details):
    """Runs the task ``t`` with these options; returns the mails about it."""

    def ask(
        body="raise ValueError('no <luck> & no\\nhope')", options=OPTIONS, connection=NOT_THERE, tries=1, **environ
    ):
        # The runner's process is there already: its environment is changed by its task.
        names = {f"AIRFLOW__{name}": str(value) for name, value in environ.items()}
        task_file(f"import os\nos.environ.update({names})\n{body}", options=options)
        sidecar.answers["GetConnection"] = connection
        sidecar.start(details(max_tries=tries - 1, should_retry=tries > 1))
        return server.mails

    return ask


def connection(server, **extra):
    return {
        "type": "ConnectionResult", "conn_id": "smtp_default", "conn_type": "smtp", "schema": None, "host": "localhost", "port": server.port,
        "login": LOGIN, "password": PASSWORD, "extra": json.dumps(extra),
    }  # fmt: skip


def last(sidecar):
    return sidecar.log[-1]["event"]


@pytest.mark.parametrize(
    ("body", "options", "tries", "sent"),
    [
        ("raise ValueError", OPTIONS, 1, True),
        ("raise ValueError", OPTIONS, 2, True),
        ("raise ValueError", f"{OPTIONS}, email_on_failure=False", 2, True),
        ("raise ValueError", f"{OPTIONS}, email_on_failure=False", 1, False),
        ("raise ValueError", f"{OPTIONS}, email_on_retry=False", 2, False),
        ("raise ValueError", f"{OPTIONS}, email_on_retry=False", 1, True),
        ("raise SystemExit(1)", OPTIONS, 1, True),
        ("from airflow.sdk.exceptions import AirflowFailException\nraise AirflowFailException", OPTIONS, 2, True),
        ("from airflow.sdk.exceptions import AirflowSkipException\nraise AirflowSkipException", OPTIONS, 1, False),
        ("return 1", OPTIONS, 1, False),
        ("raise ValueError", "retry_delay=7", 1, False),
        ("raise ValueError", "retry_delay=7, email=''", 1, False),
    ],
)
def test_a_mail_is_sent_for_the_ends_that_the_author_names(run, sidecar, body, options, tries, sent):
    assert sent == bool(run(body, options, tries=tries))
    assert 0 == sidecar.code
    assert sent == ("GetConnection" in sidecar.types)


@pytest.mark.parametrize("email", ["'ops@team.example; dev@team.example'", "'ops@team.example,dev@team.example'"])
def test_one_text_has_several_addresses(run, email):
    assert [["ops@team.example", "dev@team.example"]] == [mail.to for mail in run(options=f"email={email}")]


def test_the_mail_names_the_task_and_the_error_and_is_no_place_for_markup(run, sidecar):
    (mail,) = run(tries=2)

    assert "Airflow alert: <TaskInstance d.t r1 try 1>" == mail.message["Subject"]
    assert ("airflow@airflow", "ops@team.example, dev@team.example") == (mail.sender, mail.message["To"])
    assert "text/html" == mail.message.get_content_type()
    assert "failed and is tried again on try 1 of 2" in mail.body
    assert "no &lt;luck&gt; &amp; no<br>hope" in mail.body
    assert "a mail about task t was sent to ops@team.example, dev@team.example" == last(sidecar)


def test_the_mail_follows_the_report_and_the_callbacks(run, sidecar):
    options = f"{OPTIONS}, on_failure_callback=lambda context: print('called')"

    assert 1 == len(run(options=options))
    assert "called\n" == sidecar.stdout
    assert ["TaskState", "GetConnection"] == sidecar.types[-2:]


def test_templates_and_the_sender_are_those_of_the_settings(tmp_path, run):
    (tmp_path / "subject").write_text("{{ dag.dag_id }}:\n{{ ti.task_id }} {{ exception }} {{ params.who }} {{ ds }}")
    (tmp_path / "body").write_text("<i>{{ exception_html }}</i> {{ try_number }}/{{ max_tries }}")

    (mail,) = run(
        EMAIL__SUBJECT_TEMPLATE=tmp_path / "subject",
        EMAIL__HTML_CONTENT_TEMPLATE=tmp_path / "body",
        EMAIL__FROM_EMAIL="Team <team@team.example>",
    )

    assert "d: t no <luck> & no hope us 2026-01-02" == mail.message["Subject"]
    assert "<i>no &lt;luck&gt; &amp; no<br>hope</i> 1/0" == mail.body.strip()
    assert ("team@team.example", "Team <team@team.example>") == (mail.sender, mail.message["From"])


def test_a_template_that_is_not_there_leaves_the_usual_text(run, sidecar):
    (mail,) = run(EMAIL__SUBJECT_TEMPLATE="/nowhere/subject")

    assert mail.message["Subject"].startswith("Airflow alert:")
    assert "[email] subject_template: the file /nowhere/subject does not exist; the mail has the usual text" in [
        each["event"] for each in sidecar.log
    ]


def test_a_backend_of_the_user_sends_instead(run, sidecar):
    (sidecar.bundle / "own_mail.py").write_text(
        "def send(to, subject, html_content, **more):\n    print(to, subject, more)\n"
    )

    assert [] == run(EMAIL__EMAIL_BACKEND="own_mail.send", EMAIL__EMAIL_CONN_ID="mine")
    assert (
        "['ops@team.example', 'dev@team.example'] Airflow alert: <TaskInstance d.t r1 try 1> "
        "{'conn_id': 'mine', 'from_email': 'airflow@airflow'}\n" == sidecar.stdout
    )


@pytest.mark.parametrize(
    ("mode", "extra", "encrypted", "login"),
    [
        ({}, {"disable_ssl": True, "disable_tls": True}, False, LOGIN),
        ({"starttls": True}, {"disable_ssl": True, "ssl_context": "none"}, True, LOGIN),
        ({"tls": True}, {"ssl_context": "none"}, True, LOGIN),
        ({"tls": True}, {}, True, LOGIN),
        ({"tls": True}, {"auth_type": "oauth2", "access_token": TOKEN}, True, f"{LOGIN} by its token"),
    ],
)
def test_a_connection_says_how_its_server_is_spoken_to(tmp_path, run, sidecar, mode, extra, encrypted, login):
    with mailserver.running(MailServer(), tmp_path, **mode) as own:
        trust = f"import os\nos.environ['SSL_CERT_FILE'] = {str(tmp_path / 'ca.crt')!r}\nraise ValueError"

        assert [] == run(trust, connection=connection(own, from_email="conn@team.example", **extra)), last(sidecar)

    ((sender, encrypted_, login_),) = [(mail.sender, mail.encrypted, mail.login) for mail in own.mails]
    assert ("conn@team.example", encrypted, login) == (sender, encrypted_, login_)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong"}, "AirlockException: the mail server localhost:{port} cannot be reached: 535 5.7.8 Authentication credentials invalid; it is set by connection 'smtp_default'"),
        ({"host": None}, "AirlockException: connection 'smtp_default' does not have a host; give it the name of the mail server"),
        ({"extra": "{"}, "AirlockException: the extras of connection 'smtp_default' are not a JSON object; correct them where it is defined"),
        ({"extra": '{"timeout": "soon"}'}, "AirlockException: connection 'smtp_default': timeout among its extras must be a number, not 'soon'"),
        ({"extra": '{"auth_type": "oauth2"}'}, "AirlockException: connection 'smtp_default': auth_type oauth2 needs access_token among its extras"),
        ({"extra": '{"ssl_context": "mine"}'}, "AirlockException: ssl_context of connection 'smtp_default' must be default or none, not 'mine'"),
    ],
)  # fmt: skip
def test_a_connection_that_cannot_be_used_is_a_line_in_the_log_and_the_outcome_stands(
    server, run, sidecar, change, said
):
    given = connection(server, disable_ssl=True, disable_tls=True) | change

    assert [] == run(connection=given)
    assert f"the mail about task t was not sent: {said.replace('{port}', str(server.port))}" == last(sidecar)
    assert (0, "failed") == (sidecar.code, next(each for each in sidecar.asked if each["type"] == "TaskState")["state"])
    assert PASSWORD not in json.dumps(sidecar.log)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path, run, sidecar):
    with mailserver.running(MailServer(), tmp_path, tls=True) as own:
        run(connection=connection(own))

    assert [] == own.mails
    assert "CERTIFICATE_VERIFY_FAILED" in last(sidecar)


def test_a_connection_that_the_policy_refuses_is_named(run, sidecar):
    assert [] == run(
        connection={"type": "ErrorResponse", "error": "PERMISSION_DENIED", "detail": {"message": "no grant"}}
    )
    assert "the mail about task t was not sent: PermissionDenied: " in last(sidecar)


def test_a_server_that_is_busy_is_asked_again_and_gets_one_mail(server, run):
    server.busy = 1

    assert 1 == len(run())
    assert 2 == server.sessions


def test_a_server_that_is_not_there_is_named_with_its_setting(run, sidecar):
    run(SMTP__SMTP_PORT=1, SMTP__SMTP_RETRY_LIMIT=0)

    assert (
        "the mail about task t was not sent: AirlockException: the mail server 127.0.0.1:1 cannot be reached: "
        "[Errno 111] Connection refused; it is set by [smtp] smtp_host" == last(sidecar)
    )


def test_an_address_that_is_refused_is_named_and_the_others_get_the_mail(run, sidecar):
    (mail,) = run(options="email=['ops@team.example', 'gone@refused.example']")

    assert ["ops@team.example"] == mail.to
    assert last(sidecar).endswith("did not take the mail for gone@refused.example")


def test_addresses_that_are_all_refused_are_named(run, sidecar):
    assert [] == run(options="email='gone@refused.example'")
    assert last(sidecar).endswith("did not take the mail: it refuses gone@refused.example")


def test_a_template_that_cannot_be_rendered_hurts_only_the_mail(tmp_path, run, sidecar):
    (tmp_path / "subject").write_text("{{ nobody.knows }}")

    assert [] == run(EMAIL__SUBJECT_TEMPLATE=tmp_path / "subject")
    assert last(sidecar).startswith("the mail about task t was not sent: UndefinedError: ")
    assert 0 == sidecar.code


@pytest.mark.parametrize(("state", "sent"), [("failed", True), ("up_for_retry", False)])
def test_a_task_whose_runner_was_lost_has_its_mail_too(server, sidecar, details, state, sent):
    sidecar.write(f"""
        from airflow.sdk import DAG, BaseOperator

        with DAG("d"):
            BaseOperator(task_id="t", email_on_retry=False, {OPTIONS})
    """)
    sidecar.answers["GetConnection"] = NOT_THERE
    call = {"of": "task", "state": state, "error": "OOMKilled: no memory"}
    request = {"type": "CallbackRequest", "call": call, "bundle_name": "b", "file": "d.py", "dag_id": "d"}

    sidecar.start(request | {"run_id": "r1", "startup": details()})

    assert [["ops@team.example", "dev@team.example"]] * sent == [mail.to for mail in server.mails]
    assert all("OOMKilled: no memory" in mail.body for mail in server.mails)
    (result,) = [each for each in sidecar.asked if each["type"] == "CallbackResult"]
    assert (int(sent), []) == (result["called"], result["errors"])
