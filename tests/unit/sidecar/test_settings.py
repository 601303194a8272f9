"""What a sidecar cannot do without, and what goes together."""

import msgspec
import pytest

from airlock_sidecar.settings import SidecarSettings, from_environment
from airlock_wire import sidecar_settings
from airlock_wire.process.settings import PREFIX, SettingsError

FOLDERS = {f"AIRLOCK__SIDECAR__{name}": "/x" for name in ("SOCKET_DIR", "STATE_DIR", "LOG_DIR")}
WORK = {"AIRLOCK__SIDECAR__WORKLOAD": "{}"}
URL = {"AIRLOCK__API__EXCHANGE_URL": "https://server/airlock/v1/exchange"}
SECRET = {"AIRLOCK__SIDECAR__TOKEN_FILE": "/var/run/airlock/token"}
FILE = {"AIRLOCK__SIDECAR__POD_TOKEN_FILE": "/var/run/airlock/token"}


def test_every_name_that_an_owner_sets_is_a_settings():
    names = {value for name, value in vars(sidecar_settings).items() if name.isupper() and name != "PREFIX"}
    known = {
        f"{PREFIX}{section.name}__{setting.name}".upper()
        for section in msgspec.structs.fields(SidecarSettings)
        for setting in msgspec.structs.fields(section.type)
    }

    assert set() == names - known
    assert {"AIRLOCK__SIDECAR__SOCKET_DIR", "AIRLOCK__LOGS__STORE"} <= names


@pytest.mark.parametrize(
    "environ",
    [WORK, {"AIRLOCK__SIDECAR__WORKLOAD_FILE": "/w"}, WORK | URL | FILE, WORK | SECRET],
)
def test_what_suffices(environ):
    assert from_environment(FOLDERS | environ)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        (FOLDERS, "SIDECAR__WORKLOAD and "),
        (FOLDERS | WORK | {"AIRLOCK__SIDECAR__WORKLOAD_FILE": "/w"}, "set one of"),
        (FOLDERS | WORK | URL, "go together"),
        (FOLDERS | WORK | FILE, "go together"),
        (FOLDERS | WORK | SECRET | URL | FILE, "SIDECAR__TOKEN_FILE and AIRLOCK__SIDECAR__POD_TOKEN_FILE"),
        (FOLDERS | WORK | SECRET | {"AIRLOCK__SIDECAR__TOKEN_FD": "3"}, "TOKEN_FILE and AIRLOCK__SIDECAR__TOKEN_FD"),
        (FOLDERS | WORK | SECRET | {"AIRLOCK__SIDECAR__TOKEN_WAIT_SECONDS": "-1"}, "TOKEN_WAIT_SECONDS: it must be 0"),
        (WORK, "SOCKET_DIR is not set"),
    ],
)
def test_what_is_missing_is_named(environ, says):
    with pytest.raises(SettingsError, match=says):
        from_environment(environ)


@pytest.mark.parametrize(
    "logs",
    [
        {},
        {"STORE": "/mnt/logs"},
        {"STORE": "s3://bucket/prefix", "REGION": "eu-central-1", "ENDPOINT": "https://minio:9000"},
        {"STORE": "gs://bucket"},
        {"STORE": "abfss://container@account.dfs.core.windows.net/p"},
    ],
)
def test_where_logs_can_go(logs):
    assert from_environment(FOLDERS | WORK | {f"AIRLOCK__LOGS__{name}": value for name, value in logs.items()})


@pytest.mark.parametrize(
    ("name", "value", "others"),
    [
        ("STORE", "logs", {}),
        ("STORE", "wasb://logs", {}),
        ("ENDPOINT", "https://minio:9000", {}),
        ("ENDPOINT", "https://minio:9000", {"STORE": "/mnt/logs"}),
        ("ENDPOINT", "minio:9000", {"STORE": "s3://bucket"}),
        ("REGION", "eu-central-1", {"STORE": "gs://bucket"}),
        ("CREDENTIALS_DIR", "/nowhere", {"STORE": "s3://bucket"}),
        ("CA_FILE", "/nowhere", {"STORE": "s3://bucket"}),
        ("SEGMENT_MIB", "64", {}),
        ("SEGMENT_MIB", "0", {}),
        ("LOCAL_MIB", "8", {}),
        ("CHUNK_SECONDS", "0", {}),
        ("FINAL_SECONDS", "-1", {}),
    ],
)
def test_where_logs_cannot_go_is_refused_by_the_settings_name(name, value, others):
    environ = {f"AIRLOCK__LOGS__{key}": each for key, each in ({name: value} | others).items()}
    with pytest.raises(SettingsError, match=f"AIRLOCK__LOGS__{name}: "):
        from_environment(FOLDERS | WORK | environ)
