"""What Airflow's runner sees of its container's environment."""

import pytest

from airlock_runner.airflow.environment import allowed, api_version, bundle_settings, lookups_left_out, speaks


@pytest.mark.parametrize(
    "name",
    [
        "AIRLOCK__API__URL",
        "AIRLOCK_HOME",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD",
        "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__CORE__FERNET_KEY_SECRET",
        "AIRFLOW__API__SECRET_KEY_CMD",
        "AIRFLOW__WEBSERVER__SECRET_KEY",
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH",
        "AIRFLOW__CELERY__BROKER_URL",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__SENTINEL_KWARGS",
        "AIRFLOW__SECRETS__BACKEND_KWARGS",
        "AIRFLOW__SECRETS__BACKEND_KWARGS_CMD",
        "AIRFLOW__SECRETS__BACKEND_KWARG__ROLE_ID",
        "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS",
        "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS_SECRET",
        "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARG__TOKEN",
        "AIRFLOW__SMTP__SMTP_PASSWORD",
        "AIRFLOW__SMTP__SMTP_PASSWORD_CMD",
        "AIRFLOW__SMTP__SMTP_USER",
        "AIRFLOW__SENTRY__SENTRY_DSN",
        "AIRFLOW__CORE__ASSET_MANAGER_KWARGS",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
        "AIRFLOW__CORE__DAGS_FOLDER_CMD",
        "AIRFLOW__LOGGING__GOOGLE_KEY_PATH",
        "AIRFLOW__LOGGING__REMOTE_TASK_HANDLER_KWARGS",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_ENGINE_ARGS",
        "AIRFLOW__ELASTICSEARCH__HOST",
        "AIRFLOW__OPENLINEAGE__TRANSPORT",
        "AIRFLOW__KERBEROS__KEYTAB",
        "AIRFLOW__EDGE__API_URL",
        "AIRFLOW__EXECUTION_API__JWT_AUDIENCE",
        "airflow__core__fernet_key",
        "AIRFLOW_CONN_WAREHOUSE",
        "AIRFLOW_VAR_KEY",
        "airflow_conn_warehouse",
        "_AIRFLOW_FORK_EXEC",
        "_AIRFLOW_PROCESS_CONTEXT",
        "_AIRFLOW__REEXECUTED_PROCESS",
    ],
)
def test_what_is_the_platforms_does_not_pass(name):
    assert {} == allowed({name: "x"})


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "PYTHONPATH",
        "LD_LIBRARY_PATH",
        "MY_BUCKET",
        "AIRFLOW_HOME",
        "AIRFLOW__CORE__DAGS_FOLDER",
        "AIRFLOW__CORE__EXECUTOR",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST",
        "AIRFLOW__SECRETS__BACKEND",
        "AIRFLOW__WORKERS__SECRETS_BACKEND",
        "AIRFLOW__SMTP__SMTP_HOST",
        "AIRFLOW__EMAIL__FROM_EMAIL",
        "AIRFLOW__LOGGING__LOGGING_LEVEL",
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID",
        "AIRFLOW__LOGGING__SECRET_MASK_ADAPTER",
        "AIRFLOW__LOGGING__MIN_LENGTH_MASKED_SECRET",
        "AIRFLOW__LOGGING__COLOR_LOG_ERROR_KEYWORDS",
        "AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES",
        "AIRFLOW__API__BASE_URL",
    ],
)
def test_what_is_the_images_and_the_users_passes(name):
    assert {name: "x"} == allowed({name: "x"})


def test_connections_and_variables_that_do_not_pass_are_named_without_their_values():
    text = lookups_left_out({"AIRFLOW_VAR_KEY": "secret", "AIRFLOW_CONN_DB": "postgres://u:secret@h", "PATH": "/bin"})

    assert text.startswith("AIRFLOW_CONN_DB, AIRFLOW_VAR_KEY: left out")
    assert "secret@h" not in text
    assert "'secret'" not in text
    assert "" == lookups_left_out({"PATH": "/bin"})


@pytest.mark.parametrize("form", ["", "_CMD", "_SECRET"])
@pytest.mark.parametrize("backend", ["AIRFLOW__SECRETS__BACKEND", "AIRFLOW__WORKERS__SECRETS_BACKEND"])
def test_a_secrets_backend_without_what_it_is_made_with_does_not_pass(backend, form):
    assert {} == allowed({backend: "x.Vault", f"{backend}_KWARGS{form}": '{"token": "t"}'})


def test_a_bundle_root_is_the_dags_folder_where_nothing_else_is_said():
    assert {"AIRFLOW__CORE__DAGS_FOLDER": "/dags"} == bundle_settings({"PATH": "/bin"}, "/dags")


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ({}, ""),
        ({"AIRFLOW__CORE__DAGS_FOLDER": "/theirs"}, "/dags"),
        ({"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": "[]"}, "/dags"),
    ],
)
def test_what_the_environment_says_of_bundles_stands(given, root):
    assert {} == bundle_settings(given, root)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('API_VERSION: Final[str] = "2026-06-30"\n', "2026-06-30"),
        ("x = 1\nAPI_VERSION = '2027-01-31'\n", "2027-01-31"),
        ('API_VERSION_OF = "2026-06-30"\n', ""),
        ('API_VERSION = "newest"\n', ""),
        ("", ""),
    ],
)
def test_the_images_airflow_says_which_version_of_the_api_it_reads(tmp_path, monkeypatch, text, version):
    models = tmp_path / "airflow" / "sdk" / "api" / "datamodels"
    models.mkdir(parents=True)
    (models / "_generated.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    assert version == api_version()


def test_an_image_without_airflow_says_none():
    assert "" == api_version()


def test_airflows_runner_clears_the_xcoms_of_an_earlier_try_itself():
    assert True is speaks()["clears_xcoms"]
