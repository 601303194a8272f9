"""What the operator's settings must be, each answer naming its setting."""

import pytest

from airlock_operator.settings import NO_STORE, from_environment
from airlock_wire.process.settings import SettingsError


def of(settings):
    return from_environment({f"AIRLOCK__{name}": value for name, value in settings.items()})


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"PODS__BUNDLES": '[{"name": "s", "classpath": "a.B", "image": "i"}]'},
        {"PODS__AIRFLOW_API_URL": "https://airflow/execution"},
        {"LOGS__STORE": "s3://b/p", "LOGS__CREDENTIALS_SECRET": "s", "LOGS__CA_KEY": "ca.crt", "LOGS__REGION": "x"},
        {"TRACES__ENDPOINT": "https://collector:4318/v1/traces", "TRACES__RATIO": "0.5"},
        # The chart sets all of them once there is a store.
        {"LOGS__STORE": "gs://b", "LOGS__ENDPOINT": "", "LOGS__CHUNK_SECONDS": "10"},
    ],
)
def test_what_is_right_is_taken(settings):
    assert of(settings)


def test_logs_go_nowhere_unless_it_is_said_where():
    assert NO_STORE == of({}).logs


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"PODS__AIRFLOW_API_URL": "airflow"}, "PODS__AIRFLOW_API_URL: it must begin with https://"),
        ({"PODS__BUNDLES": "sales"}, "PODS__BUNDLES: it must be a JSON list of bundles"),
        (
            {"PODS__BUNDLES": '[{"name": "s", "classpath": "B", "image": "i"}]'},
            "PODS__BUNDLES: [0].classpath: it must be",
        ),
        ({"PODS__RUNNER_RESOURCES": "128Mi"}, "PODS__RUNNER_RESOURCES: it must be JSON like"),
        ({"PODS__RUNNER_RESOURCES": '{"ask": {"memory": "1Gi"}}'}, "PODS__RUNNER_RESOURCES: it must be JSON like"),
        ({"PODS__XCOM_STORE": "bucket/x"}, "PODS__XCOM_STORE: it must be empty or a URL"),
        ({"PODS__XCOM_STORE_THRESHOLD_BYTES": "-1"}, "PODS__XCOM_STORE_THRESHOLD_BYTES: it must be 0 or more"),
        ({"PODS__XCOM_STORE_COMPRESSION": "zip"}, "PODS__XCOM_STORE_COMPRESSION: it must be gzip or empty"),
        ({"LOGS__STORE": "/mnt/logs"}, "LOGS__STORE: it must be empty or begin with one of s3://"),
        ({"LOGS__REGION": "x"}, "LOGS__REGION: it must be empty where LOGS__STORE is"),
        ({"TRACES__ENDPOINT": "collector:4318"}, "TRACES__ENDPOINT: it must be empty or an address with http://"),
        ({"TRACES__ENDPOINT": "http://"}, "TRACES__ENDPOINT: it must be empty or an address"),
        ({"TRACES__ENDPOINT": "http://user:password@collector"}, "without a user, a query and a fragment"),
        ({"TRACES__ENDPOINT": "http://collector/v1/traces?key=secret"}, "without a user, a query and a fragment"),
        ({"TRACES__RATIO": "1.5"}, "TRACES__RATIO: it must be between 0 and 1; it is 1.5"),
        ({"TRACES__RATIO": "nan"}, "TRACES__RATIO: it must be between 0 and 1"),
        ({"TRACES__TIMEOUT_SECONDS": "0"}, "TRACES__TIMEOUT_SECONDS: it must be more than 0"),
        ({"LOGS__STORE": "s3://b", "LOGS__CA_KEY": "ca.crt"}, "LOGS__CA_KEY: it must be a key of"),
    ],
)
def test_what_is_wrong_is_named(settings, says):
    with pytest.raises(SettingsError) as refused:
        of(settings)

    assert says in str(refused.value)


def test_a_credential_in_a_collectors_address_is_not_repeated():
    with pytest.raises(SettingsError) as refused:
        of({"TRACES__ENDPOINT": "http://user:hunter2@collector/?key=hunter2"})

    assert "hunter2" not in str(refused.value)
    assert "'collector'" in str(refused.value)
