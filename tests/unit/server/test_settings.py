"""The server's settings."""

import inspect
from pathlib import Path

import msgspec
import pytest

from airlock_server import dag_settings
from airlock_server.settings import ServerSettings, load_settings
from airlock_wire.process.settings import SettingsError

NOWHERE = Path("/nonexistent")


def test_there_is_a_default_for_everything():
    assert ServerSettings() == load_settings(NOWHERE, {})


def test_the_environment_sets_a_value_of_the_settings_type():
    loaded = load_settings(NOWHERE, {"AIRLOCK__API__PORT": "9", "AIRLOCK__LOGGING__FRAMES": "true"})
    assert 9 == loaded.api.port
    assert True is loaded.logging.frames


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AIRLOCK__API__PROT", "1", "did you mean 'port'"),
        ("AIRLOCK__APY__PORT", "1", "did you mean 'api'"),
        ("AIRLOCK__API__PORT", "many", "AIRLOCK__API__PORT"),
        ("AIRLOCK__LOGGING__LEVEL", "loud", "use debug, info, warning or error"),
        ("AIRLOCK__API__TLS_CERT", "cert.pem", "tls_cert and tls_key go together"),
        ("AIRLOCK__LOGGING__FORMAT", "xml", "AIRLOCK__LOGGING__FORMAT"),
        ("AIRLOCK__ACCESS__DEFAULT", "none", "AIRLOCK__ACCESS__DEFAULT"),
        ("AIRLOCK__DATABASE__POOL_SIZE", "0", r"\[database\] pool_size"),
        ("AIRLOCK__DATABASE__STATEMENT_SECONDS", "0", r"\[database\] statement_seconds"),
        ("AIRLOCK__DATABASE__LOCK_SECONDS", "-1", r"\[database\] lock_seconds"),
        ("AIRLOCK__CORE__DEFAULT_TASK_RETRIES", "-1", r"\[core\] default_task_retries is -1; use 0 or more"),
        ("AIRLOCK__CORE__MAX_TEMPLATED_FIELD_LENGTH", "0", r"\[core\] max_templated_field_length is 0; use 1 or more"),
        ("AIRLOCK__CORE__DEFAULT_TIMEZONE", "Delft", "default_timezone is 'Delft'; use utc, system, or a name"),
        ("AIRLOCK__CORE__DEFAULT_TASK_WEIGHT_RULE", "sideways", "AIRLOCK__CORE__DEFAULT_TASK_WEIGHT_RULE"),
        ("AIRLOCK__SENSORS__DEFAULT_TIMEOUT", "nan", r"\[sensors\] default_timeout is nan; use 0 or more"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_fix(name, value, says):
    with pytest.raises(SettingsError, match=says):
        load_settings(NOWHERE, {name: value})


def test_every_setting_is_documented():
    for section in msgspec.structs.fields(ServerSettings):
        lines = inspect.getsource(section.type).splitlines()
        for field in msgspec.structs.fields(section.type):
            at = next(i for i, line in enumerate(lines) if line.startswith(f"    {field.name}: "))
            assert lines[at - 1].startswith("    #: "), f"[{section.name}] {field.name}"


def test_dag_files_get_the_settings_that_shape_dags_and_are_not_at_their_defaults():
    loaded = load_settings(
        NOWHERE,
        {
            "AIRLOCK__CORE__DEFAULT_TASK_RETRIES": "2",
            "AIRLOCK__CORE__DEFAULT_TASK_RETRY_DELAY": "300",
            "AIRLOCK__CORE__DAGS_FOLDER": "/dags",
            "AIRLOCK__CORE__MAX_TASK_RETRY_DELAY": "60",
            "AIRLOCK__SCHEDULER__CATCHUP_BY_DEFAULT": "true",
            "AIRLOCK__SENSORS__DEFAULT_TIMEOUT": "7.5",
        },
    )

    assert {} == dag_settings.variables(ServerSettings())
    assert {
        "AIRFLOW__CORE__DEFAULT_TASK_RETRIES": "2",
        "AIRFLOW__SCHEDULER__CATCHUP_BY_DEFAULT": "True",
        "AIRFLOW__SENSORS__DEFAULT_TIMEOUT": "7.5",
    } == dag_settings.variables(loaded)
