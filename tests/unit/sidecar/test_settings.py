"""What a sidecar cannot do without, and what goes together."""

import pytest

from airlock_sidecar.settings import from_environment
from airlock_wire.settings import SettingsError

FOLDERS = {f"AIRLOCK__SIDECAR__{name}": "/x" for name in ("SOCKET_DIR", "STATE_DIR", "LOG_DIR")}
WORK = {"AIRLOCK__SIDECAR__WORKLOAD": "{}"}
URL = {"AIRLOCK__API__EXCHANGE_URL": "https://server/airlock/v1/exchange"}
FILE = {"AIRLOCK__SIDECAR__POD_TOKEN_FILE": "/var/run/airlock/token"}


@pytest.mark.parametrize(
    "environ",
    [WORK, {"AIRLOCK__SIDECAR__WORKLOAD_FILE": "/w"}, WORK | URL | FILE],
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
        (WORK, "SOCKET_DIR is not set"),
    ],
)
def test_what_is_missing_is_named(environ, says):
    with pytest.raises(SettingsError, match=says):
        from_environment(environ)
