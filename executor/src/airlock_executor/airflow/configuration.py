"""Reads Airflow's configuration into plain data: the settings, and what tasks get of the scheduler's environment."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from airflow.configuration import conf

from airlock_executor import bundles, environment, settings
from airlock_executor.kube.api import own_namespace
from airlock_executor.settings import SECTION, Settings

_KUBERNETES = "kubernetes_executor"


def read(team_name: str | None = None) -> Settings:
    """Returns the settings; raises SettingsError. A team's option counts before the one for all."""
    everything = conf.as_dict(display_source=True, display_sensitive=True, include_cmds=False, include_secret=False)
    options = _set(everything, SECTION)
    kubernetes = _set(everything, _KUBERNETES)
    if team_name:
        for option in settings.OPTIONS:
            value = conf.get(SECTION, option, fallback=None, team_name=team_name)
            if value is not None:
                options[option] = str(value)
        # Two teams' executors must not take each other's TaskRuns for their own.
        options.setdefault("name", f"airflow-{team_name}".lower().replace("_", "-")[:42])
    return settings.read(options, kubernetes, own_namespace())


def environ_of_tasks() -> dict[str, str]:
    """
    Returns the variables that tasks get: those of this process, and what somebody has set in airflow.cfg, as
    Airflow's official chart does. A task's pod has no airflow.cfg, since the database and the keys are in it.
    """
    everything = conf.as_dict(display_source=True, display_sensitive=True, include_cmds=False, include_secret=False)
    file = {
        environment.variable(section, option): value
        for section in everything
        for option, value in _set(everything, section).items()
    }
    return environment.passed(file | dict(os.environ), sensitive())


def withheld() -> Callable[[str], str | None]:
    """Returns what says why tasks do not get a variable of some name."""
    names = sensitive()
    return lambda name: environment.refusal(name, names)


def sensitive() -> set[tuple[str, str]]:
    """Returns Airflow's own list of settings that hold a credential."""
    return set(conf.sensitive_config_values)


def bundle_folders(own: Settings) -> dict[str, str]:
    """Returns the folder of each bundle that is one."""
    configured = conf.getjson("dag_processor", "dag_bundle_config_list", fallback=[]) or []
    return bundles.folders(configured, conf.get("core", "dags_folder"), own.bundles)


def _set(everything: Mapping[str, Mapping[str, Any]], section: str) -> dict[str, str]:
    """
    Returns what somebody has set of a section; a default of Airflow or of a provider is not among it. The airflow.cfg
    that Airflow writes at its first start has every default, as if somebody had set it.
    """
    options = {}
    for option, (value, _source) in (everything.get(section) or {}).items():
        if value != conf.get_default_value(section, option):
            options[option.lower()] = value if isinstance(value, str) else json.dumps(value)
    return options
