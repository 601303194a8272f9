"""
The settings that shape every DAG, by Airflow's names: what a DAG, a task or a sensor has where its author does not say
it. The processes that import DAG files get those that are set as Airflow's variables of them.
"""

import math
from typing import Any, Final, Literal

import msgspec

from airlock_wire.process.settings import SettingsError


class CoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """DAG files, and what a DAG or task has whose author does not say it, by Airflow's names."""

    #: The folder of DAG files of the bundle ``dags-folder``. Empty: ``dags`` in the home.
    dags_folder: str = ""
    #: Whether the examples of Airlock are a bundle too, ``examples``.
    load_examples: bool = False
    #: Whether only files are imported that have the words of a DAG file: ``airflow`` or ``airlock``, and ``dag`` or
    #: ``asset``, in any case.
    dag_discovery_safe_mode: bool = True
    #: How ``.airflowignore`` files are written: ``glob``, as git's, or ``regexp``.
    dag_ignore_file_syntax: Literal["glob", "regexp"] = "glob"
    #: Whether a DAG that does not say so itself is paused when it is first seen.
    dags_are_paused_at_creation: bool = True
    #: The time zone of dates that are written without one; ``system``: that of the machine.
    default_timezone: str = "utc"
    #: Tries that may follow the first one of a task.
    default_task_retries: int = 0
    #: Seconds between two tries of a task.
    default_task_retry_delay: int = 300
    #: Seconds that a delay which grows with each try may reach.
    max_task_retry_delay: int = 86400
    #: Seconds that a task may run; 0: without a limit.
    default_task_execution_timeout: int = 0
    #: Whose weights a task's priority adds up: its own and those of the tasks after it, before it, or none.
    default_task_weight_rule: Literal["downstream", "upstream", "absolute"] = "downstream"
    #: Tasks of one DAG run that run at a time.
    max_active_tasks_per_dag: int = 16
    #: Runs of a DAG at a time.
    max_active_runs_per_dag: int = 16
    #: Failed runs in a row after which a DAG is paused; 0: it never is.
    max_consecutive_failed_dag_runs_per_dag: int = 0
    #: Whether the configuration of a DAG run goes over the DAG's params.
    dag_run_conf_overrides_params: bool = True
    #: Characters of a rendered template field that are kept for people to look at.
    max_templated_field_length: int = 4096


class OperatorsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks have whose authors do not say it, by Airflow's names."""

    #: The owner of a task.
    default_owner: str = "airflow"
    #: The queue of a task.
    default_queue: str = "default"
    #: Whether an operator that can wait in a trigger does so.
    default_deferrable: bool = False
    #: Cores in a task's ``resources`` that do not name them.
    default_cpus: int = 1
    #: MB of memory, likewise.
    default_ram: int = 512
    #: MB of disk, likewise.
    default_disk: int = 512
    #: Graphics processors, likewise.
    default_gpus: int = 0


class SensorsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sensors, by Airflow's names."""

    #: Seconds that a sensor waits.
    default_timeout: float = 604800.0


class EmailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Mails about tasks that have an address, by Airflow's names."""

    #: Whether such a mail says that a task has failed.
    default_email_on_failure: bool = True
    #: Whether such a mail says that a task is tried again.
    default_email_on_retry: bool = True


class SchedulerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Schedules, by Airflow's names."""

    #: Whether runs are made that were missed.
    catchup_by_default: bool = False
    #: Whether the run of a cron expression or a step of time covers the interval before it. If not, it covers no time.
    create_cron_data_intervals: bool = False


class _Sections(msgspec.Struct):
    """Those of the server's sections that have settings for DAG files."""

    core: CoreSettings
    operators: OperatorsSettings
    sensors: SensorsSettings
    email: EmailSettings
    scheduler: SchedulerSettings


#: The settings of these sections that are the server's own affair: no DAG file sees them.
_OWN: Final = frozenset(
    {
        "dags_folder", "load_examples", "dag_discovery_safe_mode", "dag_ignore_file_syntax",
        "dags_are_paused_at_creation", "max_task_retry_delay",
    }
)  # fmt: skip
_LEAST: Final = {"max_templated_field_length": 1}


def variables(settings: Any) -> dict[str, str]:
    """
    Returns the settings for DAG files that are not at their defaults, as variables: AIRFLOW__CORE__... and so on.
    ``settings`` has the sections above as attributes.
    """
    given = {}
    for section in msgspec.structs.fields(_Sections):
        values = getattr(settings, section.name)
        for field in msgspec.structs.fields(section.type):
            value = getattr(values, field.name)
            if value != field.default and field.name not in _OWN:
                given[f"AIRFLOW__{section.name}__{field.name}".upper()] = str(value)
    return given


def check(settings: Any) -> None:
    """Raises SettingsError for a number that is too small, and for a time zone that nobody knows."""
    for section in msgspec.structs.fields(_Sections):
        for name, value in msgspec.structs.asdict(getattr(settings, section.name)).items():
            least = _LEAST.get(name, 0)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and not (math.isfinite(value) and value >= least):
                raise SettingsError(f"[{section.name}] {name} is {value:g}; use {least} or more")
    name = settings.core.default_timezone
    if name.lower() not in ("utc", "system") and not _is_zone(name):
        raise SettingsError(f"[core] default_timezone is {name!r}; use utc, system, or a name like Europe/Berlin")


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo  # imported here: hardly anybody sets it

    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True
