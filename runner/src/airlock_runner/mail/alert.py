"""
The mail about a task: what it says, and who is asked to send it.

Airflow's settings decide. ``[email] subject_template`` and ``html_content_template`` are files; their templates see the
author's context. ``[email] email_backend`` is a function of the user's, which sends instead of us.
"""

import html
import os
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Final

from airlock.sdk.configuration import conf
from airlock.sdk.definitions.connection import Connection
from airlock.sdk.definitions.context import Context
from airlock.sdk.exceptions import ConnectionNotFound
from airlock_runner.load import load_named
from airlock_runner.logs import Logs
from airlock_runner.mail import outbox, sending
from airlock_runner.mail.addresses import addresses

#: What Airflow's own configuration names; it means the server of the settings.
_OWN_BACKENDS: Final = ("", "airflow.utils.email.send_email_smtp")
_SUBJECT: Final = "Airflow alert: {{ ti }}"
_BODY: Final = """\
<p>The task <b>{{ ti.task_id }}</b>{% if ti.map_index >= 0 %} (map index {{ ti.map_index }}){% endif %} of the DAG
<b>{{ ti.dag_id }}</b>, run {{ ti.run_id | e }}, {{ outcome }} on try {{ try_number }} of {{ max_tries + 1 }}.</p>
<p>{{ exception_html }}</p>
<p>It ran on {{ ti.hostname | e }}.{% if log_url %} <a href="{{ log_url | e }}">Its log</a>{% endif %}</p>
"""
_OUTCOMES: Final = {"failed": "failed", "up_for_retry": "failed and is tried again"}


def send(task: Any, state: str, context: Context, error: BaseException, logs: Logs) -> None:
    """Sends the mail. Raises AirlockException, or what the author's templates or backend raise."""
    to = addresses(task.email)
    subject, body = _texts(task, state, context, error, logs)
    backend = conf.get("email", "email_backend")
    conn_id = conf.get("email", "email_conn_id")
    if backend not in _OWN_BACKENDS:
        function, sender = load_named(backend, lambda: None), conf.get("email", "from_email", fallback=outbox.SENDER)
        function(to, subject, body, conn_id=conn_id, from_email=sender)
    else:
        server = _outbox(conn_id)
        sending.send(_mail(server.sender, to, subject, body), server)
    logs.write("info", f"a mail about task {task.task_id} was sent to {', '.join(to)}")


def _outbox(conn_id: str) -> outbox.Outbox:
    try:
        return outbox.of_connection(Connection.get(conn_id), conf)
    except ConnectionNotFound:
        return outbox.of_settings(conf)


def _texts(task: Any, state: str, context: Context, error: BaseException, logs: Logs) -> tuple[str, str]:
    from airlock.sdk.execution_time.environment import environment_of, render

    ti = context["ti"]
    # An entry that fetches something stays unread unless a template names it.
    values = context.copy()
    values.update(
        exception=error,
        exception_html=html.escape(str(error)).replace("\n", "<br>"),
        try_number=ti.try_number,
        max_tries=ti.max_tries,
        outcome=_OUTCOMES[state],
        log_url=ti.log_url if conf.get("api", "base_url") else "",
    )
    environment = environment_of(task.dag, native=False)

    def text(option: str, default: str) -> str:
        template = environment.from_string(_template(option, default, logs))
        return str(render(template, values))

    return " ".join(text("subject_template", _SUBJECT).split()), text("html_content_template", _BODY)


def _template(option: str, default: str, logs: Logs) -> str:
    path = conf.get("email", option, fallback="")
    if not path:
        return default
    if not os.path.exists(path):
        logs.write("warning", f"[email] {option}: the file {path} does not exist; the mail has the usual text")
        return default
    with open(path, encoding="utf-8") as file:
        return file.read()


def _mail(sender: str, to: list[str], subject: str, body: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = subject
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or None)
    mail.set_content(body, subtype="html")
    return mail
