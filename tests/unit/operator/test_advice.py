"""Whose thing is wrong, as a table: what an author can mend, what an administrator, and what by name."""

import pytest
from doubles.taskruns import inits, pod, run, waiting

from airlock_operator.decide.advice import advised
from airlock_operator.observe.complaints import About, Complaint
from airlock_operator.reasons import Reason

CHART = "that image is the chart's"
BUNDLE = {"source": None, "bundle": {"name": "sales"}, "file": "f.py"}
CLAIMS = {
    "pod": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "b", "emptyDir": {}}]}
}
TWO = {
    "pod": {
        "volumes": [{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in ("data", "models")],
    }
}
PULL = waiting("ImagePullBackOff", "Back-off")
MISSING = waiting("CreateContainerConfigError", 'secret "x" not found')


def others(name, state):
    statuses = [{"name": "sidecar", "state": {"running": {}}}, {"name": name, "state": state}]
    return {"initContainerStatuses": statuses}


def warned(container, message="Failed to pull image"):
    return pod(), Complaint(About.IMAGE, message, container=container)


@pytest.mark.parametrize("reason", [Reason.IMAGE_PULL, Reason.IMAGE_PULL_FAILED])
@pytest.mark.parametrize(
    ("facts", "spec", "says"),
    [
        ({"runner": PULL}, {}, "spec.image"),
        ({"runner": PULL}, {"image": ""}, CHART),
        ({"sidecar": PULL}, {}, CHART),
        (inits(PULL), BUNDLE, "of bundle sales in the chart's values"),
        (others("istio-proxy", PULL), {}, "container istio-proxy was put into the pod by an admission webhook"),
    ],
)
def test_an_image_that_does_not_come_is_blamed_on_whose_it_is(reason, facts, spec, says):
    found = pod(**facts)
    text = advised(reason, found.pulling, run(**spec), found)

    assert says in text
    assert (says == "spec.image") == ("spec.image" in text)


def test_a_kubelets_complaint_is_blamed_on_its_container_too():
    found = pod()
    complained = type(found)(
        **{f: getattr(found, f) for f in found.__struct_fields__} | {"complaint": warned("sidecar")[1]}
    )

    assert CHART in advised(Reason.IMAGE_PULL, "Failed to pull image", run(), complained)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ('ErrImageNeverPull: Container image "x" is not present with pull policy of Never', "imagePullPolicy"),
        ("InvalidImageName: couldn't parse image name: invalid reference format", "is not the name of an image"),
    ],
)
def test_an_image_that_can_never_come_says_what_to_correct(message, says):
    found = pod(runner=waiting(*message.split(": ", 1)))

    assert says in advised(Reason.IMAGE_PULL_FAILED, message, run(), found)


@pytest.mark.parametrize(
    ("message", "spec", "says"),
    [
        ('0/1 nodes are available: persistentvolumeclaim "data" not found.', CLAIMS, "make claim data, or correct"),
        ('0/1 nodes are available: persistentvolumeclaim "models" not found.', TWO, "make claim models, or correct"),
        ("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.", CLAIMS, "describe pvc data"),
        ("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.", TWO, "describe pvc data models"),
        ("0/2 nodes are available: 2 node(s) had volume node affinity conflict.", CLAIMS, "describe pvc data"),
        (
            '0/1 nodes are available: persistentvolumeclaim "data" bound to non-existent persistentvolume "pv".',
            CLAIMS,
            "describe pvc data",
        ),
        ("0/1 nodes are available: 1 Insufficient cpu.", CLAIMS, Reason.UNSCHEDULABLE.advice),
    ],
)
def test_a_claim_that_holds_a_pod_back_is_named_and_nothing_else_is_blamed(message, spec, says):
    text = advised(Reason.UNSCHEDULABLE, message, run(**spec))

    assert says in text
    assert (says == Reason.UNSCHEDULABLE.advice) == ("resources" in text)


@pytest.mark.parametrize(
    ("said", "says", "never"),
    [
        ("must specify limits.cpu for: sidecar", "sidecar.resources.cpuLimit", "spec.pod.resources"),
        ("must specify limits.cpu for: runner", "set limits.cpu in spec.pod.resources", "cpuLimit"),
        ("must specify limits.cpu for: runner,sidecar", "sidecar.resources.cpuLimit", "nothing"),
        (
            "must specify limits.cpu for: runner,sidecar; limits.memory for: runner",
            "limits.cpu and limits.memory in spec",
            "x",
        ),
        ("must specify requests.storage for: bundle", "of Airlock's containers", "spec.pod"),
    ],
)
def test_what_a_quota_wants_is_asked_of_who_can_set_it(said, says, never):
    message = f'pods "x-1" is forbidden: failed quota: q: {said}'
    text = advised(Reason.FORBIDDEN, message, run()).removeprefix(message)

    assert says in text
    assert never not in text


@pytest.mark.parametrize(
    ("message", "spec", "says"),
    [
        (
            'MountVolume.SetUp failed for volume "airlock-token" : secret "airlock-token-hello" not found',
            {"token": "Secret"},
            "Secret airlock-token-hello",
        ),
        (
            'MountVolume.SetUp failed for volume "airlock-log-credentials" : secret "s" not found',
            {},
            "logs.credentialsSecret",
        ),
        ('MountVolume.SetUp failed for volume "airlock-socket" : no space', {}, "Airlock's own"),
        ('MountVolume.SetUp failed for volume "data" : secret "s" not found', {}, Reason.VOLUME_MOUNT.advice),
    ],
)
def test_a_volume_that_does_not_come_is_blamed_on_whose_it_is(message, spec, says):
    assert says in advised(Reason.VOLUME_MOUNT, message, run(**spec))


@pytest.mark.parametrize(
    ("facts", "spec", "says"),
    [
        ({"runner": MISSING}, {}, "spec.pod"),
        ({"sidecar": MISSING}, {}, "container sidecar is the chart's"),
        (inits(MISSING), BUNDLE, "make the Secret that the chart's values name for bundle sales, in namespace team"),
    ],
)
def test_a_container_that_misses_something_is_blamed_on_whose_it_is(facts, spec, says):
    found = pod(**facts)

    assert says in advised(Reason.CONFIG_ERROR, found.config, run(**spec), found)
