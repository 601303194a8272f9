"""
What Airflow's runner finds in its container, and what of the environment it may see. Standard library of Python 3.10
only.

The TaskRun's own variables and the image's pass: they are the user's. What Airlock uses for itself does not, and
neither do those settings of Airflow that open something which only the platform may: the metadata database, the
broker, and the keys that tokens and stored values are made with. An image or a values file that was written for
Airflow's own workers often has them; a task needs none of them here.
"""

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec

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

#: Where Airflow's runner has the version of the Execution API that its models are of.
_MODELS = "sdk/api/datamodels/_generated.py"
_VERSION = re.compile(r"^API_VERSION\b[^=]*= *[\"'](\d{4}-\d\d-\d\d)[\"']", re.MULTILINE)

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


def api_version() -> str:
    """
    The version of the Execution API whose answers the image's Airflow reads, such as ``2026-06-30``; empty where it
    does not say. Read as text: to import it takes longer than the rest of the launcher's start.
    """
    found = find_spec("airflow")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        try:
            with open(os.path.join(folder, _MODELS), encoding="utf-8") as models:
                match = _VERSION.search(models.read())
        except OSError:
            continue
        if match:
            return match[1]
    return ""
