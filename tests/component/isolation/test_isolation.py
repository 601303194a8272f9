"""User code looks for the live token everywhere, knowing only its hash. It must not find it, and must be able to."""

import pytest

from airlock_server.launching.local.isolation import LAUNCH_UIDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CHANNELS = (
    "environment",
    "arguments",
    "descriptors",
    "own memory",
    "others' arguments",
    "others' environment",
    "others' descriptors",
    "others' memory",
    "files",
)


def test_a_runner_with_a_user_of_its_own_finds_no_token_anywhere(search):
    result = search(same_user=False)
    report = result["report"]
    print({key: report["counts"][key] for key in sorted(report["counts"])})

    assert {} == report["found"]
    assert (True, "") == (report["uid"] in LAUNCH_UIDS, result["note"])
    assert {"PermissionError"} == set(report["exposed"].values())
    assert {"mem": "denied", "environ": "denied", "fd": "denied"} == report["sidecar"]
    assert len(result["live"]) + 1 == report["wanted"]
    _assert_it_searched(report["counts"])


def test_a_runner_of_the_same_user_finds_no_token_but_can_read_the_database_and_the_keys(search):
    result = search(same_user=True)
    report = result["report"]
    print({key: report["counts"][key] for key in sorted(report["counts"])})

    assert {} == report["found"]
    assert {"mem": "denied", "environ": "denied", "fd": "denied"} == report["sidecar"]
    # What is exposed is asserted, because it is what the command says at its start.
    assert not {"PermissionError", "FileNotFoundError"} & set(report["exposed"].values())
    assert "the database and keys" in result["note"]
    assert len(result["live"]) + 1 == report["wanted"]
    _assert_it_searched(report["counts"])


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_canary_planted_in_one_channel_is_found_in_exactly_that_one(search, channel):
    result = search(same_user=False, plant=channel)

    assert {channel: [result["canary"]]} == result["report"]["found"]


def _assert_it_searched(counts):
    assert counts["own memory bytes"] > 5_000_000
    assert counts["environment bytes"] > 50
    assert counts["arguments bytes"] > 20
    assert counts["descriptors descriptors"] >= 5
    assert counts["processes"] >= 3
    assert counts["files files"] >= 1
    assert counts["files older than the credential"] > 1000
