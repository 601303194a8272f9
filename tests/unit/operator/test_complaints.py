"""A kubelet's complaints, as it words them."""

import pytest

from airlock_operator.observe.complaints import About, Complaint, heard


def event(reason, message, kind="Warning", container=""):
    about = {"fieldPath": f"spec.{container}"} if container else {}
    return {"type": kind, "reason": reason, "message": message, "involvedObject": about}


def last_complaint(events):
    found = None
    for each in events:
        found = heard(found, each)
    return found


REFUSED = 'Failed to pull image "x": failed to resolve reference "x": connection refused'


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([event("Pulling", 'Pulling image "x"', kind="Normal")], None),
        ([event("Failed", REFUSED)], Complaint(About.IMAGE, REFUSED)),
        ([event("Failed", REFUSED), event("Failed", "Error: ErrImagePull")], Complaint(About.IMAGE, REFUSED)),
        (
            [event("Failed", "Error: ErrImageNeverPull")],
            Complaint(About.IMAGE, "Error: ErrImageNeverPull", hopeless=True),
        ),
        ([event("Failed", 'Error: configmap "a" not found')], Complaint(About.CONFIG, 'configmap "a" not found')),
        ([event("FailedMount", 'secret "s" not found')], Complaint(About.VOLUME, 'secret "s" not found')),
        ([event("FailedCreatePodSandBox", "no network")], Complaint(About.OTHER, "FailedCreatePodSandBox: no network")),
        (
            [event("Failed", REFUSED), event("FailedMount", "later")],
            Complaint(About.VOLUME, "later"),
        ),
    ],
)
def test_the_last_complaint_that_says_something_counts(events, expected):
    assert expected == last_complaint(events)


NEVER = [
    event(
        "ErrImageNeverPull",
        'Container image "x" is not present with pull policy of Never',
        container="containers{runner}",
    ),
    event("Failed", "Error: ErrImageNeverPull", container="containers{runner}"),
]
INVALID = [
    event(
        "InspectFailed",
        'Failed to apply default image tag "A b": couldn\'t parse image name "A b": invalid reference format',
    ),
    event("Failed", "Error: InvalidImageName"),
]


@pytest.mark.parametrize(
    "said", [NEVER, INVALID, NEVER[::-1], INVALID[::-1], NEVER[1:], INVALID[1:], NEVER[:1], INVALID[:1]]
)
def test_what_no_waiting_cures_is_known_at_once_in_whatever_order_a_kubelet_says_it(said):
    warned = last_complaint(said)

    assert (About.IMAGE, True) == (warned.about, warned.hopeless)
    if len(said) == 2:
        assert not warned.message.startswith("Error: ")


@pytest.mark.parametrize(
    ("container", "name"),
    [
        ("containers{runner}", "runner"),
        ("initContainers{sidecar}", "sidecar"),
        ("ephemeralContainers{x}", ""),
        ("", ""),
    ],
)
def test_a_complaint_names_its_container(container, name):
    assert name == last_complaint([event("Failed", REFUSED, container=container)]).container


def test_one_image_that_is_hopeless_does_not_make_anothers_so():
    warned = last_complaint([*NEVER, event("Failed", REFUSED, container="initContainers{sidecar}")])

    assert ("sidecar", False) == (warned.container, warned.hopeless)
