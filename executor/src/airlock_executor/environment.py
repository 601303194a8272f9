"""
Says which of a scheduler's variables its tasks get. Pure.

Of Airflow's settings a task gets those that hold no credential and are not about the services themselves. Connections
and variables go to its sidecar (``launch.lookups``).
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from airlock_executor import lookups

SETTING = "AIRFLOW__"
#: Whole sections that no task has a use for, or that hold what only services may know.
SECTIONS = frozenset(
    {
        "airlock", "api_auth", "database", "scheduler", "secrets", "dag_processor", "kubernetes_executor",
        "local_kubernetes_executor", "celery", "celery_kubernetes_executor", "celery_broker_transport_options", "fab",
        "webserver", "execution_api", "kerberos",
    }
)  # fmt: skip
#: What the TaskRun itself says, as where the DAG files are, and what its sidecar does: it brings the log away.
SETTINGS = frozenset(
    {
        ("core", "dags_folder"), ("core", "hostname_callable"), ("logging", "base_log_folder"),
        ("logging", "remote_logging"), ("logging", "remote_base_log_folder"), ("logging", "remote_log_conn_id"),
        ("logging", "remote_task_handler_kwargs"), ("logging", "delete_local_logs"), ("logging", "google_key_path"),
        ("logging", "encrypt_s3_logs"),
    }
)  # fmt: skip
_FORMS = ("_cmd", "_secret")
#: Parts of a credential's name. Airflow's own list lacks options of providers: [smtp] smtp_password.
_CREDENTIALS = re.compile(r"password|passwd|passphrase|secret|token|(private|api|access)_key")
_TEAM = re.compile(r"^.+___")


def variable(section: str, option: str) -> str:
    """Returns the name of the variable that sets an option."""
    return f"{SETTING}{section.replace('.', '_')}__{option}".upper()


def passed(environ: Mapping[str, str], sensitive: AbstractSet[tuple[str, str]]) -> dict[str, str]:
    """
    Returns the settings of this environment that tasks get. ``sensitive`` is Airflow's own ``sensitive_config_values``:
    section and option, in lower case.
    """
    return {
        name: value
        for name, value in sorted(environ.items())
        if name.startswith(SETTING) and refusal(name, sensitive) is None
    }


def refusal(name: str, sensitive: AbstractSet[tuple[str, str]]) -> str | None:
    """Returns why a task does not get a variable of this name; None for one that it may have."""
    upper_name = name.upper()
    if upper_name.startswith((lookups.CONNECTION, lookups.VARIABLE)):
        return "user code would have it without asking; write its value here, which then goes to the sidecar alone"
    if not upper_name.startswith(SETTING):
        return None
    section, _, option = _TEAM.sub("", upper_name.removeprefix(SETTING)).lower().partition("__")
    for form in _FORMS:
        option = option.removesuffix(form)
    listed = (section, option) in sensitive or any(name.lower().endswith(form) for form in _FORMS)
    if listed or _CREDENTIALS.search(option):
        return "it is a credential of Airflow's, or fetches one"
    if section in SECTIONS:
        return f"[{section}] is about Airflow's services, and a task has no use for it"
    if (section, option) in SETTINGS:
        return "the TaskRun says it, or its sidecar does it"
    return None
