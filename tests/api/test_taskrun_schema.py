"""What the API server itself says about a TaskRun that is wrong: each answer names the field."""

import copy
import itertools

import pytest
from kube.kubectl import Refused

NUMBERS = itertools.count()
LEAST = {
    "apiVersion": "airlock.dev/v1alpha1",
    "kind": "TaskRun",
    "metadata": {},
    "spec": {"dagId": "d", "taskId": "t", "image": "i", "suspend": True, "source": {"inline": "x"}},
}

GRANTS = (
    "connections", "variables", "variableWrites", "xcomReads", "xcomWrites", "triggers", "dagRuns", "tasks", "assets",
    "assetStores", "assetEvents", "deferrals",
)  # fmt: skip


def taskrun(spec=None, name=None):
    made = copy.deepcopy(LEAST)
    made["metadata"]["name"] = name or f"run-{next(NUMBERS)}"
    made["spec"] |= spec or {}
    made["spec"] = {key: value for key, value in made["spec"].items() if value is not None}
    return made


def volume(**kind):
    return {"pod": {"volumes": [{"name": "v"} | kind]}}


def token(audience):
    return volume(projected={"sources": [{"serviceAccountToken": {"audience": audience, "path": "t"}}]})


UUID = "01890000-0000-7000-8000-000000000001"
SECRET = {"token": "Secret", "taskInstanceId": UUID, "dagVersionId": UUID, "runId": "scheduled__x"}

WRONG = {
    "an unknown field": ({"colour": "red"}, 'unknown field "spec.colour"'),
    "an unknown pod setting": ({"pod": {"hostNetwork": True}}, 'unknown field "spec.pod.hostNetwork"'),
    "a volume of the host": (volume(hostPath={"path": "/"}), 'unknown field "spec.pod.volumes[0].hostPath"'),
    "a service account token mounted by default": (
        {"pod": {"automountServiceAccountToken": True}}, 'unknown field "spec.pod.automountServiceAccountToken"'
    ),
    "source and bundle": ({"bundle": {"name": "b"}, "file": "f.py"}, "exactly one of source"),
    "neither source nor bundle": ({"source": None}, "exactly one of source"),
    "a bundle without a file": ({"source": None, "bundle": {"name": "b"}}, "bundle and file go together"),
    "no dagId": ({"dagId": None}, "spec.dagId: Required"),
    "no taskId": ({"taskId": None}, "spec.taskId: Required"),
    "no image for Airflow's runner": ({"image": None, "runner": "airflow"}, "image is needed with runner airflow"),
    "no time to run": ({"executionTimeout": "0s"}, "executionTimeout must be longer than nothing"),
    "no time to run, in other words": ({"executionTimeout": "0h0.0m"}, "executionTimeout must be longer than nothing"),
    "no time to start": ({"pendingTimeout": "0ms"}, "pendingTimeout must be longer than nothing"),
    "a dagId that climbs": ({"dagId": "a..b"}, "spec.dagId"),
    "a dagId with a slash": ({"dagId": "a/b"}, "spec.dagId"),
    "a runId that climbs": ({"runId": "../r"}, "spec.runId"),
    "a file that climbs": (
        {"source": None, "bundle": {"name": "b"}, "file": "x/../../etc/passwd"}, "spec.file"
    ),
    "an absolute file": ({"source": None, "bundle": {"name": "b"}, "file": "/etc/passwd"}, "spec.file"),
    "a bundle path that climbs": (
        {"source": None, "bundle": {"name": "b", "path": "/opt/../etc"}, "file": "f.py"}, "spec.bundle.path"
    ),
    "too long a source": ({"source": {"inline": "x" * 16385}}, "spec.source.inline: Too long"),
    "a negative number of retries": ({"retries": -1}, "spec.retries"),
    "a duration that is none": ({"pendingTimeout": "soon"}, "spec.pendingTimeout"),
    "a map index below none": ({"mapIndex": -2}, "spec.mapIndex"),
    "a task instance that is no UUID": ({"taskInstanceId": "7"}, "spec.taskInstanceId"),
    "a reserved volume": ({"pod": {"volumes": [{"name": "airlock-token", "emptyDir": {}}]}}, "reserved"),
    "a volume of no kind": (volume(), "exactly one kind of volume"),
    "a volume of two kinds": (volume(emptyDir={}, configMap={"name": "c"}), "exactly one kind of volume"),
    "Airlock's audience": (token("airlock"), "platform credential"),
    "Airlock's audience with an ending": (token("airlock.example"), "platform credential"),
    "the Kubernetes API's audience": (token("https://kubernetes.default.svc"), "platform credential"),
    "a token Secret": (volume(secret={"secretName": "airlock-token-x"}), "Airlock's own credentials"),
    "the signing keys": (volume(secret={"secretName": "airlock-keys"}), "Airlock's own credentials"),
    "the signing keys, in the environment": (
        {"pod": {"envFrom": [{"secretRef": {"name": "airlock-keys"}}]}}, "Airlock's own credentials"
    ),
    "a token Secret's key, in the environment": (
        {"pod": {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "airlock-token-1", "key": "t"}}}]}},
        "Airlock's own credentials",
    ),
    "a token Secret, to pull by": (
        {"pod": {"imagePullSecrets": [{"name": "airlock-token-1"}]}}, "Airlock's own credentials"
    ),
    "a mount of Airlock's volume": (
        {"pod": {"volumeMounts": [{"name": "airlock-token", "mountPath": "/t"}]}}, "cannot be mounted"
    ),
    "a mount over Airlock's folder": (
        {"pod": {"volumeMounts": [{"name": "v", "mountPath": "/airlock/socket"}]}}, "Airlock's own"
    ),
    "a reserved label": ({"pod": {"labels": {"airlock.dev/taskrun": "x"}}}, "reserved"),
    "a value and where it comes from": (
        {"pod": {"env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}}, "not both"
    ),
    "too many grants": ({"access": {"variables": [f"v{n}" for n in range(65)]}}, "spec.access.variables"),
    "too long a grant": ({"access": {"connections": ["x" * 251]}}, "spec.access.connections[0]"),
    "an empty grant": ({"access": {"xcomReads": [""]}}, "spec.access.xcomReads[0]"),
    "more grants than one process can be told": (
        {"access": {name: [f"{n}" for n in range(64)] for name in GRANTS[:7]}},
        "432 patterns",
    ),
    "a grant that a shell would read": ({"access": {"assetStores": ['$(x) "y"']}}, "spec.access.assetStores[0]"),
    "an alias without a name": ({"outlets": [{"type": "AssetAlias"}]}, "an AssetAlias a name alone"),
    "a reference by URI with a name": ({"inlets": [{"type": "AssetUriRef", "uri": "u", "name": "n"}]}, "a uri alone"),
    "an asset without name and URI": ({"inlets": [{}]}, "an Asset has a name, a uri or both"),
    "an inlet of an unknown kind": ({"inlets": [{"type": "Table", "name": "n"}]}, "spec.inlets[0].type"),
    "too many outlets": ({"outlets": [{"name": f"n{n}"} for n in range(17)]}, "spec.outlets"),
    "one grant instead of a list": ({"access": {"triggers": "*"}}, "spec.access.triggers"),
    "an unknown kind of grant": ({"access": {"xcoms": ["*"]}}, 'unknown field "spec.access.xcoms"'),
    "a runner that there is not": ({"runner": "celery"}, "spec.runner"),
    "a way for the token that there is not": ({"token": "Inline"}, "spec.token"),
    "a task instance without its token": ({"taskInstanceId": UUID}, "taskInstanceId goes with token Secret"),
    "a DAG's version without its token": ({"dagVersionId": UUID}, "dagVersionId goes with token Secret"),
    "a queue without a token": ({"queue": "q"}, "queue and contextCarrier go with token Secret"),
    "a token without its task instance": (SECRET | {"taskInstanceId": None}, "taskInstanceId goes with token Secret"),
    "a token without the DAG's version": (SECRET | {"dagVersionId": None}, "dagVersionId goes with token Secret"),
    "a token without its DAG run": (SECRET | {"runId": None}, "give its runId"),
    "a token and retries": (SECRET | {"retries": 1}, "its owner decides about another try"),
    "a token and another start": (SECRET | {"rerunAfterStart": True}, "its owner decides about another try"),
    "a task instance of somebody else's": (SECRET, "only a scheduler of this namespace may name a task instance"),
    "a priority of the cluster's own": ({"pod": {"priorityClassName": "system-node-critical"}}, "begin with 'system-'"),
    "a mount over the launcher": (
        {"pod": {"volumeMounts": [{"name": "v", "mountPath": "/airlock/opt"}]}}, "Airlock's own"
    ),
    "the same variable twice": ({"pod": {"env": [{"name": "A"}, {"name": "A"}]}}, "Duplicate"),
}  # fmt: skip


WRONG |= {
    f"{value!r} of processors": ({"pod": {"resources": {kind: {"cpu": value}}}}, f"spec.pod.resources.{kind}.cpu")
    for kind, value in itertools.product(("requests", "limits"), ({}, {"a": 1}, [], [1], True, "half", "1x", "", -0.5))
}
PATHS = [
    "/airlock/", "/./airlock/socket", "//airlock/socket", "/x/../airlock/socket", "/x/./y", "/x//y", "/x/..", "airlock/socket", "./x", "/",
    "/tmp", "/tmp/", "/tmp/.", "/run/secrets/x", "/var/run/airlock", "/../x", "/x/.",
]  # fmt: skip
WRONG |= {
    f"a mount at {path}": ({"pod": {"volumeMounts": [{"name": "v", "mountPath": path}]}}, "spec.pod.volumeMounts[0]")
    for path in PATHS
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_taskrun_is_refused_and_the_field_is_named(namespace, case):
    spec, says = WRONG[case]
    with pytest.raises(Refused) as refused:
        namespace.apply(taskrun(spec))

    assert says in str(refused.value)


def test_a_name_that_leaves_no_room_for_its_pods_is_refused(namespace):
    with pytest.raises(Refused, match="at most 59 characters"):
        namespace.apply(taskrun(name="x" * 60))
    namespace.apply(taskrun(name="x" * 59))


RIGHT = {
    "the least": {},
    "the chart's image": {"image": None},
    "a short time to run": {"executionTimeout": "0h0m0.5s"},
    "a cloud's identity token": token("sts.example.com"),
    "a conf of any shape": {"conf": {"a": [1, {"b": None}], "c": {"d": "e"}}},
    "Airflow's runner": {"runner": "airflow"},
    "grants of all kinds": {
        "access": {
            "connections": ["db-*"],
            "variables": [],
            "variableWrites": ["a b"],
            "xcomReads": ["dag/task"],
            "xcomWrites": ["*"],
            "triggers": ["other"],
            "dagRuns": ["other", "a-*"],
            "tasks": ["other/*"],
            "assets": ["orders"],
            "assetEvents": ["orders", "s3://orders"],
            "deferrals": ["airflow.providers.*.triggers.*Trigger"],
            "assetStores": ["s3://bucket/x?y=1&z=%20#f"],
        }
    },
    "as many and as long grants as there may be": {
        "access": {name: [f"{n:03}".ljust(250, "x") for n in range(36)] for name in GRANTS}
    },
    "all pod settings": {
        "pod": {
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
            "env": [{"name": "A", "value": "1"}],
            "envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}],
            "volumes": [
                {"name": "a", "emptyDir": {"sizeLimit": "1Mi"}},
                {"name": "b", "persistentVolumeClaim": {"claimName": "p"}},
                {"name": "c", "image": {"reference": "x/y:1"}},
            ],
            "volumeMounts": [{"name": "a", "mountPath": "/a"}],
            "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
            "nodeSelector": {"disk": "fast"},
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{"matchExpressions": [{"key": "z", "operator": "In", "values": ["a"]}]}]
                    }
                },
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 1,
                            "podAffinityTerm": {"topologyKey": "h", "labelSelector": {"matchLabels": {"a": "b"}}},
                        }
                    ]
                },
            },
            "priorityClassName": "high",
            "serviceAccountName": "worker",
            "labels": {"team": "x"},
            "annotations": {"note": "y"},
            "runtimeClassName": "gvisor",
            "imagePullPolicy": "IfNotPresent",
            "imagePullSecrets": [{"name": "pull"}],
        }
    },
}


RIGHT |= {
    f"{value!r} of processors": {"pod": {"resources": {"requests": {"cpu": value}, "limits": {"cpu": value}}}}
    for value in (0.5, 1, "0.5", "500m", "1", 2.25)
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_taskrun_is_taken(namespace, case):
    namespace.apply(taskrun(RIGHT[case]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dagId": "other"}, "dagId cannot be changed"),
        ({"image": "other"}, "image cannot be changed"),
        ({"image": None}, "image cannot be added or removed"),
        ({"retries": 3}, "retries cannot be added or removed"),
        ({"source": {"inline": "other"}}, "source cannot be changed"),
        ({"executionTimeout": "5s"}, "executionTimeout cannot be added or removed"),
        ({"pod": {"labels": {"a": "b"}}}, "pod cannot be added or removed"),
        ({"conf": {"a": 1}}, "conf cannot be added or removed"),
        ({"access": {}}, "access cannot be added or removed"),
        ({"runner": "airflow"}, "runner cannot be changed"),
        ({"token": "Secret"}, "token cannot be changed"),
    ],
)
def test_what_was_asked_for_cannot_be_changed(namespace, change, says):
    made = taskrun()
    namespace.apply(made)
    changed = copy.deepcopy(made)
    changed["spec"] = {name: value for name, value in (changed["spec"] | change).items() if value is not None}
    with pytest.raises(Refused, match=says):
        namespace.apply(changed)


def test_what_a_pod_asks_for_cannot_be_changed(namespace):
    made = taskrun({"pod": {"resources": {"requests": {"cpu": 0.5}}}})
    namespace.apply(made)
    for other in (0.75, "0.5", None):
        made["spec"]["pod"]["resources"]["requests"]["cpu"] = other
        with pytest.raises(Refused, match="pod settings cannot be changed"):
            namespace.apply(made)


def test_grants_cannot_be_changed(namespace):
    made = taskrun({"access": {"variables": ["a"]}})
    namespace.apply(made)
    made["spec"]["access"] = {"variables": ["*"]}
    with pytest.raises(Refused, match="access cannot be changed"):
        namespace.apply(made)


def test_suspend_can_be_lifted_and_set_and_cancel_cannot_be_taken_back(namespace):
    made = taskrun()
    name = made["metadata"]["name"]
    namespace.apply(made)
    for change in ('{"spec":{"suspend":false}}', '{"spec":{"suspend":true}}', '{"spec":{"cancel":true}}'):
        namespace("patch", "taskrun", name, "--type=merge", "-p", change)
    for change in ('{"spec":{"cancel":false}}', '{"spec":{"cancel":null}}'):
        with pytest.raises(Refused, match="cancel cannot be taken back"):
            namespace("patch", "taskrun", name, "--type=merge", "-p", change)


def test_taskruns_can_be_chosen_by_their_fields(namespace):
    namespace.apply(taskrun({"dagId": "chosen"}, name="chosen"))

    assert "taskrun.airlock.dev/chosen\n" == namespace(
        "get", "tr", "--field-selector", "spec.dagId=chosen", "-o", "name"
    )
