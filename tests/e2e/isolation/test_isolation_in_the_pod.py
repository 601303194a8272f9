"""User code in a pod looks for the live tokens everywhere, knowing only their hashes, and tries every way around."""

import base64
import hashlib
import os

import pytest
from kube.objects import config_map

pytestmark = pytest.mark.timeout(400)

#: A stranger's token, in the shape of ours: what the positive controls plant. Never a live one.
CANARY = b"eyJhbGciOiJIUzUxMiJ9." + base64.urlsafe_b64encode(os.urandom(120)).rstrip(b"=") + b"." + b"c" * 86
CANARY_HASH = hashlib.sha256(CANARY).hexdigest()


def test_no_live_token_is_anywhere_that_user_code_can_reach(isolation):
    report, wanted = isolation.search("clean", canary=CANARY)
    print({key: report["counts"][key] for key in sorted(report["counts"])})

    assert {} == report["found"]
    assert 50000 == report["uid"]
    # The mounted token and the task's, and the canary that was planted nowhere.
    assert len(wanted) == report["wanted"] >= 3
    counts = report["counts"]
    assert counts["own memory bytes"] > 5_000_000
    assert counts["environment bytes"] > 50
    assert counts["files files"] >= 1
    assert counts["files older than the credential"] > 1000
    # The launcher alone: the sidecar's processes are not in sight at all.
    assert 1 == counts["processes"]
    assert {} == report["sidecar"]


CONTROLS = {
    "environment": {"env": [{"name": "LEAK", "value": base64.b64encode(CANARY).decode()}]},
    "files": {
        "volumes": [{"name": "leak", "configMap": {"name": "leak"}}],
        "volumeMounts": [{"name": "leak", "mountPath": "/leak"}],
    },
    "own memory": {},
}


@pytest.mark.parametrize("channel", CONTROLS)
def test_a_canary_planted_in_one_channel_is_found_in_exactly_that_one(isolation, channel):
    isolation.team.apply(config_map("leak", {"leak": CANARY.hex()}))
    planted = CANARY if channel == "own memory" else b""
    name = f"planted-{channel.replace(' ', '-')}"
    report, _ = isolation.search(name, planted=planted, canary=CANARY, **CONTROLS[channel])

    assert {channel: [CANARY_HASH]} == report["found"]


@pytest.fixture(scope="module")
def probed(isolation):
    return isolation.probed()


def test_the_kubernetes_api_knows_user_code_as_nobody(probed):
    assert {401, 403} >= set(probed["kubernetes"].values())


def test_the_exchange_and_the_execution_api_give_nothing_without_a_token(probed):
    assert [401, 401] == probed["exchange"]
    assert {401, 403} >= set(probed["execution"])
    assert {401, 403} >= set(probed["airflow's"])


def test_no_service_account_token_and_nothing_of_the_sidecar_is_mounted(probed):
    assert [] == probed["tokens"]
    assert {False} == set(probed["sidecar's folders"].values())


def test_the_sockets_folder_cannot_be_written(probed):
    assert "OSError" == probed["socket's folder"]["write"]
    assert {"OSError"} >= set(probed["socket's folder"]["unlink"])
    assert "OSError" == probed["root"]


def test_only_its_own_containers_processes_are_in_sight(probed):
    assert 2 == len(probed["processes"])
    assert [] == [command for command in probed["processes"].values() if "airlock_sidecar" in command]


def test_the_launcher_can_be_neither_traced_nor_read(probed):
    assert "Operation not permitted" == probed["launcher"]["ptrace"]
    assert {"PermissionError"} == {probed["launcher"][part] for part in ("mem", "environ", "fd")}


def test_nothing_of_the_sidecar_is_in_what_a_pods_containers_share(probed):
    assert [] == probed["abstract sockets"]
    assert [] == probed["shared memory"]
    assert {"shm": 0, "sem": 0, "msg": 0} == probed["sysv"]
    assert [] == probed["listening"]


def test_user_code_cannot_speak_raw_packets(probed):
    assert "PermissionError" == probed["raw socket"]
