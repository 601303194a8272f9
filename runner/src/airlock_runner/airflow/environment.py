"""
What Airflow's runner may see of its container's environment. Standard library of Python 3.10 only.

The TaskRun's own variables and the image's pass: they are the user's. What Airlock uses for itself does not, and
neither do those settings of Airflow that open something which only the platform may: the metadata database, the
broker, and the keys that tokens and stored values are made with. An image or a values file that was written for
Airflow's own workers often has them; a task needs none of them here.
"""

from collections.abc import Mapping

_OURS = ("AIRLOCK_",)
#: Airflow reads each setting also from a command (``_CMD``) and from a secrets backend (``_SECRET``).
_FORMS = ("", "_CMD", "_SECRET")
#: Sections of Airflow's configuration of which a task may see nothing.
_SECTIONS = ("AIRFLOW__DATABASE__", "AIRFLOW__CELERY", "AIRFLOW__API_AUTH__")
_SETTINGS = frozenset(
    name + form
    for name in (
        "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__WEBSERVER__SECRET_KEY",
    )
    for form in _FORMS
)
#: How Airflow's processes tell each other what they are; here they would make a runner take itself for another.
_ROLES = frozenset({"_AIRFLOW_FORK_EXEC", "_AIRFLOW_PROCESS_CONTEXT", "_AIRFLOW__REEXECUTED_PROCESS"})

_DAGS_FOLDER = "AIRFLOW__CORE__DAGS_FOLDER"
_BUNDLES = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"


def allowed(given: Mapping[str, str]) -> dict[str, str]:
    """What of these variables may be there. Pure."""
    return {
        name: value
        for name, value in given.items()
        if not name.startswith(_OURS + _SECTIONS) and name not in _SETTINGS and name not in _ROLES
    }


def bundle_settings(given: Mapping[str, str], root: str) -> dict[str, str]:
    """
    The variables to add so that Airflow finds the DAG files below ``root``; none where the environment already says
    where they are, or where ``root`` is empty. Pure.
    """
    if not root or _BUNDLES in given or _DAGS_FOLDER in given:
        return {}
    return {_DAGS_FOLDER: root}
