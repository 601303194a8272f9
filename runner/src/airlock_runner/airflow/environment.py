"""
What Airflow's runner finds in its container, and what of the environment it may see. Standard library of Python 3.10
only.

The TaskRun's own variables and the image's pass: they are the user's. Airlock's own variables do not pass. Of
Airflow's settings only the sections pass that a task has a use for. A setting whose name says that it holds a
credential, or that Airflow fetches it with one, does not pass. An image or a values file that was written for
Airflow's own workers often has these: the metadata database, the broker, the keys, the secrets backend.

Connections and variables of Airflow's (``AIRFLOW_CONN_*``, ``AIRFLOW_VAR_*``) do not pass either. Airflow looks for
them in the environment first, so a task would have them past its policy.
"""

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

_OURS = ("AIRLOCK_",)
_SETTING = "AIRFLOW__"
_LOOKUPS = ("AIRFLOW_CONN_", "AIRFLOW_VAR_")
#: The sections of Airflow's configuration that a task has a use for.
_SECTIONS = frozenset(
    {
        "API", "AWS", "COMMON_IO", "CORE", "DAG_PROCESSOR", "EMAIL", "KUBERNETES_EXECUTOR", "LINEAGE", "LOGGING",
        "METRICS", "OPERATORS", "SECRETS", "SENSORS", "SMTP", "TRACES", "TRIGGERER", "WORKERS",
    }
)  # fmt: skip
#: What the name of a setting has that is a credential, opens something with one, or may have one inside. Airflow reads
#: each setting also from a command (``_CMD``) and from a secrets backend (``_SECRET``), which fetch one.
_CREDENTIAL = re.compile(
    r"PASSW|PASSPHRASE|SECRET(?!S_BACKEND$)|TOKEN|CREDENTIAL|PRIVATE|KWARG|_KEY(_|$)|JWT|DSN|_CONN(?!_ID)|ENGINE_ARGS"
    r"|BROKER|RESULT_BACKEND|SMTP_USER|HEADERS|_CMD$"
)
#: Names that look like it and say how a log is masked.
_MASKING = frozenset({"AIRFLOW__LOGGING__SECRET_MASK_ADAPTER", "AIRFLOW__LOGGING__MIN_LENGTH_MASKED_SECRET"})
#: A secrets backend, and what it is made with. Without that it would look for secrets in another place.
_BACKENDS = (
    ("AIRFLOW__SECRETS__BACKEND", "AIRFLOW__SECRETS__BACKEND_KWARGS"),
    ("AIRFLOW__WORKERS__SECRETS_BACKEND", "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS"),
)
#: How Airflow's processes tell each other what they are; here they would make a runner take itself for another.
_ROLES = frozenset({"_AIRFLOW_FORK_EXEC", "_AIRFLOW_PROCESS_CONTEXT", "_AIRFLOW__REEXECUTED_PROCESS"})

#: Where Airflow's runner has the version of the Execution API that its models are of.
_MODELS = "sdk/api/datamodels/_generated.py"
_VERSION = re.compile(r"^API_VERSION\b[^=]*= *[\"'](\d{4}-\d\d-\d\d)[\"']", re.MULTILINE)

_DAGS_FOLDER = "AIRFLOW__CORE__DAGS_FOLDER"
_BUNDLES = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"


def allowed(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns those of these variables that the runner may see. Pure."""
    without = {backend for backend, kwargs in _BACKENDS if any(name.startswith(kwargs) for name in environ)}
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_OURS) and name not in _ROLES and name not in without and _harmless(name)
    }


def lookups_left_out(environ: Mapping[str, str]) -> str:
    """Returns a line that names the connections and variables that do not pass; empty without any. Pure."""
    names = sorted(name for name in environ if name.upper().startswith(_LOOKUPS))
    if not names:
        return ""
    return (
        f"{', '.join(names)}: left out of the task's environment, because a task would have them past its policy; set "
        "them on the API server or in its secrets backend"
    )


def _harmless(name: str) -> bool:
    """Tells whether a variable is neither a connection nor a setting of Airflow's, or a setting that a task may see."""
    # Airflow itself reads its settings in capitals only; libraries on the way to it may not.
    upper_name = name.upper()
    if upper_name.startswith(_LOOKUPS):
        return False
    if not upper_name.startswith(_SETTING) or upper_name in _MASKING:
        return True
    section, _, key = upper_name.removeprefix(_SETTING).partition("__")
    return section in _SECTIONS and not _CREDENTIAL.search(key)


def bundle_settings(environ: Mapping[str, str], root: str) -> dict[str, str]:
    """
    Returns the variables to add so that Airflow finds the DAG files below ``root``. Adds nothing if the environment
    already says where they are, or if ``root`` is empty. Pure.
    """
    if not root or _BUNDLES in environ or _DAGS_FOLDER in environ:
        return {}
    return {_DAGS_FOLDER: root}


def api_version() -> str:
    """
    Returns the version of the Execution API whose answers the image's Airflow reads, such as ``2026-06-30``; empty
    where it does not say. Read as text: to import it takes longer than the rest of the launcher's start.
    """
    spec = find_spec("airflow")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        try:
            with open(os.path.join(folder, _MODELS), encoding="utf-8") as models:
                match = _VERSION.search(models.read())
        except OSError:
            continue
        if match:
            return match[1]
    return ""


def speaks() -> dict[str, Any]:
    """
    Returns how the image's runner speaks, for its hello: the version whose answers it reads, where it is known. Only
    Airflow's own configuration says whether the image has an XCom backend, so Airflow's runner clears XComs always.
    """
    version = api_version()
    return ({"api_version": version} if version else {}) | {"clears_xcoms": True}
