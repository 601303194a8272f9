"""Who may work, by the Lease."""

import pytest

from airlock_operator.kube.leadership import Bid, Seen, bid


def lease(holder, renewed="t1", seconds=15):
    return {"spec": {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": seconds}}


@pytest.mark.parametrize(
    ("found", "seen", "now", "expected"),
    [
        (None, None, 0.0, Bid.CREATE),
        (lease("me"), None, 0.0, Bid.RENEW),
        (lease(""), None, 0.0, Bid.TAKE),
        ({"spec": {}}, None, 0.0, Bid.TAKE),
        # Never seen before: how old it is by the holder's clock says nothing.
        (lease("other"), None, 1e9, Bid.WAIT),
        (lease("other"), Seen("other", "t1", 100.0), 114.0, Bid.WAIT),
        (lease("other"), Seen("other", "t1", 100.0), 115.5, Bid.TAKE),
        # Renewed since.
        (lease("other", "t2"), Seen("other", "t1", 100.0), 200.0, Bid.WAIT),
        (lease("third"), Seen("other", "t1", 100.0), 200.0, Bid.WAIT),
    ],
)
def test_a_lease_is_taken_only_when_it_was_seen_to_run_out(found, seen, now, expected):
    assert expected is bid(found, "me", seen, now)
