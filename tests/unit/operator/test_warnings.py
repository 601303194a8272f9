"""A kubelet's complaints, as it words them."""

import pytest

from airlock_operator.warnings import About, Warned, last_warning


def event(reason, message, at="2026-11-21T12:00:00Z", kind="Warning"):
    return {"type": kind, "reason": reason, "message": message, "lastTimestamp": at}


REFUSED = 'Failed to pull image "x": failed to resolve reference "x": connection refused'


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([event("Pulling", 'Pulling image "x"', kind="Normal")], None),
        ([event("Failed", REFUSED)], Warned(About.IMAGE, REFUSED)),
        ([event("Failed", REFUSED), event("Failed", "Error: ErrImagePull")], Warned(About.IMAGE, REFUSED)),
        ([event("Failed", "Error: ErrImageNeverPull")], Warned(About.IMAGE, "Error: ErrImageNeverPull", hopeless=True)),
        ([event("Failed", 'Error: configmap "a" not found')], Warned(About.CONFIG, 'configmap "a" not found')),
        ([event("FailedMount", 'secret "s" not found')], Warned(About.VOLUME, 'secret "s" not found')),
        ([event("FailedCreatePodSandBox", "no network")], Warned(About.OTHER, "FailedCreatePodSandBox: no network")),
        (
            [event("FailedMount", "later", at="2026-11-21T12:00:09Z"), event("Failed", REFUSED)],
            Warned(About.VOLUME, "later"),
        ),
    ],
)
def test_the_last_complaint_that_says_something_counts(events, expected):
    assert expected == last_warning(events)
