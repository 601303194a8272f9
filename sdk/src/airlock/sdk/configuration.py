"""``conf``: settings by Airflow's sections and options, as far as DAG files see them."""

from typing import Any, Final

from airlock.sdk.basis.settings import as_number, as_switch, as_whole, setting
from airlock.sdk.exceptions import AirlockConfigException

#: Airflow's defaults of what DAG files ask for. An option that is set in the runner's environment wins.
DEFAULTS: Final[dict[tuple[str, str], str]] = {
    ("core", "dags_folder"): "",
    ("core", "default_timezone"): "utc",
    ("core", "executor"): "LocalExecutor",
    ("core", "parallelism"): "32",
    ("core", "load_examples"): "True",
    ("core", "max_active_tasks_per_dag"): "16",
    ("core", "max_active_runs_per_dag"): "16",
    ("core", "max_map_length"): "1024",
    ("core", "default_task_retries"): "0",
    ("core", "default_task_retry_delay"): "300",
    ("core", "max_task_retry_delay"): "86400",
    ("core", "default_task_execution_timeout"): "",
    ("core", "default_task_weight_rule"): "downstream",
    ("core", "max_consecutive_failed_dag_runs_per_dag"): "0",
    ("core", "dag_run_conf_overrides_params"): "True",
    ("core", "max_templated_field_length"): "4096",
    ("core", "xcom_backend"): "airflow.sdk.execution_time.xcom.BaseXCom",
    ("scheduler", "catchup_by_default"): "False",
    ("scheduler", "create_cron_data_intervals"): "False",
    ("scheduler", "create_delta_data_intervals"): "False",
    ("operators", "default_owner"): "airflow",
    ("operators", "default_queue"): "default",
    ("operators", "default_deferrable"): "False",
    ("operators", "default_cpus"): "1",
    ("operators", "default_ram"): "512",
    ("operators", "default_disk"): "512",
    ("operators", "default_gpus"): "0",
    ("sensors", "default_timeout"): "604800",
    ("logging", "logging_level"): "INFO",
    ("logging", "min_length_masked_secret"): "5",
    ("api", "base_url"): "",
    ("email", "default_email_on_retry"): "True",
    ("email", "default_email_on_failure"): "True",
    ("email", "email_backend"): "airflow.utils.email.send_email_smtp",
    ("email", "email_conn_id"): "smtp_default",
    ("email", "ssl_context"): "default",
    ("smtp", "smtp_host"): "localhost",
    ("smtp", "smtp_port"): "25",
    ("smtp", "smtp_ssl"): "False",
    ("smtp", "smtp_starttls"): "True",
    ("smtp", "smtp_timeout"): "30",
    ("smtp", "smtp_retry_limit"): "5",
    # Of a provider, and known without it: DAG files build pods from them.
    ("kubernetes_executor", "namespace"): "default",
    ("kubernetes_executor", "pod_template_file"): "",
    ("kubernetes_executor", "worker_container_repository"): "",
    ("kubernetes_executor", "worker_container_tag"): "",
}
_MISSING: Final[Any] = object()


class Configuration:
    """
    Settings of the runner's environment: ``AIRLOCK__SECTION__OPTION``, or Airflow's names of them. The platform's own,
    as its database, are not in it.
    """

    def get(self, section: str, key: str, fallback: Any = _MISSING, **_: Any) -> Any:
        """Returns a setting as text. Raises AirlockConfigException for an unknown one without ``fallback``."""
        value = setting(section, key, None)
        if value is not None:
            return value
        if fallback is not _MISSING:
            return fallback
        try:
            return DEFAULTS[section.lower(), key.lower()]
        except KeyError:
            raise AirlockConfigException(
                f"section/key [{section}/{key}] not found: set AIRLOCK__{section.upper()}__{key.upper()} for the task, "
                "or give a fallback"
            ) from None

    def getboolean(self, section: str, key: str, fallback: Any = _MISSING) -> bool:
        """Returns a setting that is on or off."""
        return as_switch(section, key, self.get(section, key, fallback))

    def getint(self, section: str, key: str, fallback: Any = _MISSING) -> int:
        """Returns a whole number."""
        return as_whole(section, key, self.get(section, key, fallback))

    def getfloat(self, section: str, key: str, fallback: Any = _MISSING) -> float:
        """Returns a number."""
        return as_number(section, key, self.get(section, key, fallback))

    def getlist(self, section: str, key: str, fallback: Any = _MISSING, delimiter: str = ",") -> list[str]:
        """Returns texts between delimiters."""
        value = self.get(section, key, fallback)
        if not isinstance(value, str):
            return list(value or [])
        return [each.strip() for each in value.split(delimiter) if each.strip()]

    def getjson(self, section: str, key: str, fallback: Any = _MISSING) -> Any:
        """Returns what a setting's JSON holds."""
        import json

        value = self.get(section, key, fallback)
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError as e:
            raise AirlockConfigException(f"[{section}] {key} must be JSON: {e}") from None

    def has_option(self, section: str, option: str) -> bool:
        """Tells whether the setting is set, or has a default."""
        return setting(section, option, None) is not None or (section.lower(), option.lower()) in DEFAULTS


conf: Final = Configuration()
