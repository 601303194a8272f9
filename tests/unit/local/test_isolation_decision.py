"""Who runs user code, and the line that says what that exposes."""

from pathlib import Path

import pytest

from airlock_server.local.isolation import decide

HOME = Path("/home/me/.airlock")


def test_as_root_the_runner_gets_a_user_of_its_own_and_there_is_nothing_to_say():
    assert (50000, "") == decide(caller=0, wanted=-1, home=HOME, barred=None)
    assert (1234, "") == decide(caller=0, wanted=1234, home=HOME, barred=None)


@pytest.mark.parametrize(
    ("caller", "wanted", "barred", "words"),
    [
        (1000, -1, None, ["user 1000", "only root can give it a user of its own", "database and keys", str(HOME)]),
        (1000, 1234, None, ["only root can be user 1234"]),
        (0, -1, Path("/root"), ["user 50000 cannot enter /root", "the sidecar's token"]),
        (0, 0, None, ["runner_uid is 0", "the sidecar's token"]),
    ],
)
def test_where_it_cannot_the_exposure_and_its_reason_are_said_in_one_line(caller, wanted, barred, words):
    isolation = decide(caller=caller, wanted=wanted, home=HOME, barred=barred)

    assert isolation.uid is None
    assert [] == [word for word in words if word not in isolation.exposed]
    assert "\n" not in isolation.exposed
