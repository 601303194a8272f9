"""Who runs user code, and the line that says what that exposes."""

from pathlib import Path

import pytest

from airlock_server.launching.local.isolation import Machine, decide

HOME = Path("/home/me/.airlock")
FREE = range(50200, 50203)
ROOT = Machine(caller=0, free=FREE)


def test_as_root_each_launch_gets_a_user_of_its_own_and_there_is_nothing_to_say():
    assert (FREE, "") == decide(ROOT, runner_uid=-1, home=HOME)


@pytest.mark.parametrize(
    ("machine", "wanted", "uids", "words"),
    [
        (ROOT, 1234, (1234,), ["all launches runs as user 1234", "stop each other", "leave it out"]),
        (ROOT._replace(unleased="/run/airlock cannot be made"), -1, (50000,), ["user 50000", "/run/airlock cannot"]),
        (Machine(1000, FREE), -1, (), ["user 1000", "only root can give it a user", "database and keys", str(HOME)]),
        (Machine(1000, FREE), -1, (), ["launches at the same time can stop each other"]),
        (Machine(1000, FREE), 1234, (), ["only root can be user 1234"]),
        (ROOT._replace(barred=Path("/root")), -1, (), ["user 50200 cannot enter /root", "the sidecar's token"]),
        (ROOT._replace(powerless="no CAP_SETUID"), -1, (), ["no CAP_SETUID", "the sidecar's token"]),
        (ROOT, 0, (), ["runner_uid is 0", "the sidecar's token"]),
    ],
)
def test_where_it_cannot_the_exposure_and_its_reason_are_said_in_one_line(machine, wanted, uids, words):
    isolation = decide(machine, runner_uid=wanted, home=HOME)

    assert uids == isolation.uids
    assert [] == [word for word in words if word not in isolation.exposed]
    assert "\n" not in isolation.exposed
