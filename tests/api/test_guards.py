"""
What the admission policies refuse on a final pod, whoever made it: the operator's own pod, changed in one way at a time
as a webhook or a bug would, is asked for in the operator's name.
"""

import copy
import json
import subprocess
import time
import uuid
from pathlib import Path

import pytest
import yaml
from doubles.taskruns import run
from kube.kubectl import Refused

from airlock_operator.pod.manifest import manifest
from airlock_operator.settings import Logs, Pods


@pytest.fixture(scope="module", autouse=True)
def account(namespace):
    """A service account that exists, so that it is the policy that refuses it."""
    namespace("create", "serviceaccount", "admin")


ROOT = Path(__file__).resolve().parents[2]
HELM = ROOT / ".venvs/dev/bin/helm"
OPERATOR = ("--as=system:serviceaccount:airlock-system:airlock-operator",)
ID = "01890000-0000-7000-8000-000000000001"
TOKEN = {"serviceAccountToken": {"audience": "airlock", "path": "t"}}


def pod():
    made = manifest(run(), 1, Pods(), "CA")
    del made["metadata"]["namespace"]
    # Its TaskRun need not exist here.
    del made["metadata"]["ownerReferences"]
    return made


BUNDLES = json.dumps([{"name": "sales", "classpath": "a.B", "image": "i", "secret": "sales-git"}])


def pod_that_fetches(**spec):
    spec = {"source": None, "bundle": {"name": "sales"}, "file": "f.py"} | spec
    made = manifest(run(**spec), 1, Pods(bundles=BUNDLES), "CA")
    del made["metadata"]["namespace"], made["metadata"]["ownerReferences"]
    return made


def runner(made):
    return made["spec"]["containers"][0]


def sidecar(made):
    return made["spec"]["initContainers"][0]


def replaced(made, name, volume):
    """One of Airlock's volumes is another kind than the operator makes of it."""
    made["spec"]["volumes"] = [v for v in made["spec"]["volumes"] if v["name"] != name] + [{"name": name} | volume]


def mounted(made, name, volume):
    made["spec"]["volumes"].append({"name": name} | volume)
    runner(made)["volumeMounts"].append({"name": name, "mountPath": "/stolen"})


def change_mount_token(made):
    runner(made)["volumeMounts"].append({"name": "airlock-token", "mountPath": "/stolen"})


def change_mount_log_credentials(made):
    made["spec"]["volumes"].append({"name": "airlock-log-credentials", "secret": {"secretName": "store"}})
    runner(made)["volumeMounts"].append({"name": "airlock-log-credentials", "mountPath": "/stolen"})


def change_any_volume_of_a_reserved_name(made):
    mounted(made, "airlock-other", {"secret": {"secretName": "store"}})


def change_writable_launcher(made):
    mounted(made, "airlock-launcher", {"emptyDir": {}})


def change_writable_launcher_of_an_init_container(made):
    made["spec"]["volumes"].append({"name": "airlock-launcher", "emptyDir": {"sizeLimit": "1Mi"}})
    other = copy.deepcopy(runner(made)) | {"name": "launcher"}
    other["volumeMounts"] = [{"name": "airlock-launcher", "mountPath": "/airlock/opt"}]
    made["spec"]["initContainers"].append(other)


def change_mount_state(made):
    runner(made)["volumeMounts"].append({"name": "airlock-state", "mountPath": "/stolen"})


def change_own_token_volume(made):
    mounted(made, "mine", {"projected": {"sources": [TOKEN]}})


def change_reserved_name_token_volume(made):
    mounted(made, "airlock-mine", {"projected": {"sources": [TOKEN]}})


def change_token_secret(made):
    mounted(made, "mine", {"secret": {"secretName": "airlock-token-7"}})


def change_token_secret_projected(made):
    mounted(made, "mine", {"projected": {"sources": [{"secret": {"name": "airlock-token-7"}}]}})


def change_api_token(made):
    mounted(made, "mine", {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}})


def change_token_in_the_scratch_volume(made):
    """The name is one that the runner mounts already; what is behind it is not what the operator puts there."""
    source = {"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "t"}}
    replaced(made, "airlock-tmp", {"projected": {"sources": [source]}})


def change_secret_in_the_source_volume(made):
    replaced(made, "airlock-source", {"secret": {"secretName": "payroll"}})


def change_config_map_in_the_socket_volume(made):
    replaced(made, "airlock-socket", {"configMap": {"name": "payroll"}})


def change_scratch_without_a_limit(made):
    replaced(made, "airlock-tmp", {"emptyDir": {}})


def change_variable_from_the_sidecars_state(made):
    """A kubelet would read the file for the container, which does not mount the volume."""
    file = {"volumeName": "airlock-state", "path": "state", "key": "TOKEN", "optional": True}
    runner(made)["env"].append({"name": "A", "valueFrom": {"fileKeyRef": file}})


def change_system_priority(made):
    made["spec"]["priorityClassName"] = "system-node-critical"


def change_system_priority_of_the_cluster(made):
    made["spec"]["priorityClassName"] = "system-cluster-critical"


def change_automount(made):
    made["spec"]["automountServiceAccountToken"] = True


def change_share_processes(made):
    made["spec"]["shareProcessNamespace"] = True


def change_host_pid(made):
    made["spec"]["hostPID"] = True


def change_same_user(made):
    runner(made)["securityContext"]["runAsUser"] = sidecar(made)["securityContext"]["runAsUser"]


def change_root(made):
    runner(made)["securityContext"] |= {"runAsUser": 0, "runAsNonRoot": False}


def change_no_user(made):
    del runner(made)["securityContext"]["runAsUser"]


def change_capability(made):
    runner(made)["securityContext"]["capabilities"] = {"drop": ["ALL"], "add": ["SYS_PTRACE"]}


def change_escalation(made):
    runner(made)["securityContext"]["allowPrivilegeEscalation"] = True


def change_second_sidecar(made):
    extra = copy.deepcopy(runner(made)) | {"name": "sidecar"}
    made["spec"]["containers"].append(extra)
    made["spec"]["initContainers"][0] |= {"name": "helper", "volumeMounts": []}


def change_extra_container_with_sidecars_user(made):
    extra = copy.deepcopy(sidecar(made)) | {"name": "mesh", "volumeMounts": []}
    made["spec"]["initContainers"].append(extra)


def change_writable_socket(made):
    for mount in runner(made)["volumeMounts"]:
        mount["readOnly"] = False


def change_host_path(made):
    mounted(made, "mine", {"hostPath": {"path": "/var/lib/kubelet"}})


def change_other_account(made):
    made["spec"]["serviceAccountName"] = "admin"


def change_secret_of_the_namespace(made):
    mounted(made, "mine", {"secret": {"secretName": "payroll"}})


def change_secret_in_the_environment(made):
    runner(made)["env"].append({"name": "A", "valueFrom": {"secretKeyRef": {"name": "payroll", "key": "k"}}})


def change_secrets_in_the_environment(made):
    runner(made)["envFrom"] = [{"secretRef": {"name": "payroll"}}]


def fetcher(made):
    """The init container that fetches a bundle, as the operator makes it, put into this pod."""
    if not any(c["name"] == "bundle" for c in made["spec"]["initContainers"]):
        spec = pod_that_fetches()["spec"]
        known = {v["name"] for v in made["spec"]["volumes"]}
        made["spec"]["volumes"] += [v for v in spec["volumes"] if v["name"] not in known]
        made["spec"]["initContainers"] += [c for c in spec["initContainers"] if c["name"] != "sidecar"]
    return next(c for c in made["spec"]["initContainers"] if c["name"] == "bundle")


def change_mount_a_clone(made):
    fetcher(made)
    runner(made)["volumeMounts"].append({"name": "airlock-bundle-work", "mountPath": "/stolen", "readOnly": True})


def change_writable_bundle(made):
    fetcher(made)
    runner(made)["volumeMounts"].append({"name": "airlock-bundle", "mountPath": "/stolen"})


def change_clone_in_another_init_container(made):
    extra = copy.deepcopy(fetcher(made)) | {"name": "helper", "volumeMounts": [], "envFrom": []}
    extra["volumeMounts"] = [{"name": "airlock-bundle-work", "mountPath": "/stolen"}]
    made["spec"]["initContainers"].append(extra)


def change_bundles_secret_in_another_init_container(made):
    made["spec"]["initContainers"].append(copy.deepcopy(fetcher(made)) | {"name": "helper", "volumeMounts": []})


def change_what_fetches_stays_beside_the_runner(made):
    fetcher(made)["restartPolicy"] = "Always"


def change_what_fetches_is_beside_the_runner(made):
    extra = fetcher(made)
    made["spec"]["initContainers"].remove(extra)
    made["spec"]["containers"].append(extra)


def change_what_fetches_has_the_socket(made):
    fetcher(made)["volumeMounts"].append({"name": "airlock-socket", "mountPath": "/stolen", "readOnly": True})


def change_what_fetches_has_the_pods_token(made):
    fetcher(made)["volumeMounts"].append({"name": "airlock-token", "mountPath": "/stolen", "readOnly": True})


def change_what_fetches_has_a_tasks_token(made):
    fetcher(made)["envFrom"] = [{"secretRef": {"name": "airlock-token-7"}}]


def change_what_fetches_has_the_sidecars_user(made):
    fetcher(made)["securityContext"]["runAsUser"] = sidecar(made)["securityContext"]["runAsUser"]


SAYS = {
    change_mount_a_clone: "only the init container named bundle may mount airlock-bundle-work",
    change_writable_bundle: "airlock-bundle other than read-only",
    change_clone_in_another_init_container: "only the init container named bundle may mount airlock-bundle-work",
    change_bundles_secret_in_another_init_container: "airlock.dev/allowed-secrets",
    change_what_fetches_stays_beside_the_runner: "only the init container named bundle may mount airlock-bundle-work",
    change_what_fetches_is_beside_the_runner: "only the init container named bundle may mount airlock-bundle-work",
    change_what_fetches_has_the_socket: "the container named bundle may mount airlock-launcher",
    change_what_fetches_has_the_pods_token: "only the container named sidecar",
    change_what_fetches_has_a_tasks_token: "not for the container named bundle",
    change_what_fetches_has_the_sidecars_user: "not the sidecar's",
    change_mount_token: "only the container named sidecar",
    change_mount_log_credentials: "only the container named sidecar",
    change_any_volume_of_a_reserved_name: "only the container named sidecar",
    change_writable_launcher: "read-only",
    change_writable_launcher_of_an_init_container: "read-only",
    change_mount_state: "only the container named sidecar",
    change_own_token_volume: "one that the operator made",
    change_reserved_name_token_volume: "only the container named sidecar",
    change_token_secret: "one that the operator made",
    change_token_secret_projected: "one that the operator made",
    change_api_token: "not the Kubernetes API",
    change_token_in_the_scratch_volume: "must be what the operator makes of it",
    change_secret_in_the_source_volume: "airlock.dev/allowed-secrets",
    change_config_map_in_the_socket_volume: "must be what the operator makes of it",
    change_scratch_without_a_limit: "an emptyDir with a sizeLimit",
    change_variable_from_the_sidecars_state: "may not come from a file in one of Airlock's volumes",
    change_system_priority: "begin with system-",
    change_system_priority_of_the_cluster: "begin with system-",
    change_automount: "automountServiceAccountToken",
    change_share_processes: "shareProcessNamespace",
    change_host_pid: "hostPID",
    change_same_user: "not the sidecar's",
    change_root: "not root",
    change_no_user: "runAsUser",
    change_capability: "capabilities",
    change_escalation: "privilege escalation",
    change_second_sidecar: "exactly one container named sidecar",
    change_extra_container_with_sidecars_user: "not the sidecar's",
    change_writable_socket: "read-only",
    change_host_path: "hostPath",
    change_other_account: "airlock.dev/allowed-service-accounts",
    change_secret_of_the_namespace: "airlock.dev/allowed-secrets",
    change_secret_in_the_environment: "airlock.dev/allowed-secrets",
    change_secrets_in_the_environment: "airlock.dev/allowed-secrets",
}  # fmt: skip


def ask(kubectl, made):
    kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(made))


def test_the_pod_that_the_operator_makes_passes(namespace):
    ask(namespace.as_user(*OPERATOR), pod())


def test_a_pod_asks_for_half_a_processor_as_a_number(namespace):
    made = pod()
    runner(made)["resources"] = {"requests": {"cpu": 0.5}, "limits": {"cpu": 1.5}}
    ask(namespace.as_user(*OPERATOR), made)


IDS = {"taskInstanceId": ID, "dagVersionId": ID, "runId": "r"}


@pytest.mark.parametrize("spec", [{"runner": "airflow"}, {"runner": "airflow", "token": "Secret"} | IDS])
def test_the_pods_that_it_makes_for_an_airflow_pass_too(namespace, spec):
    settings = Pods(airflow_api_url="https://airflow/execution")
    made = manifest(run(**spec), 1, settings, "CA", Logs(store="s3://b", credentials_secret="store"))
    del made["metadata"]["namespace"], made["metadata"]["ownerReferences"]
    ask(namespace.as_user(*OPERATOR), made)


@pytest.mark.parametrize("runs", ["airlock", "airflow"])
def test_a_pod_that_fetches_a_bundle_passes_with_a_secret_that_its_runner_may_not_have(namespace, runs):
    ask(namespace.as_user(*OPERATOR), pod_that_fetches(runner=runs))


@pytest.mark.parametrize("change", SAYS, ids=lambda change: change.__name__.removeprefix("change_"))
def test_a_pod_that_crosses_the_trust_line_is_refused_and_told_why(namespace, change):
    made = pod()
    change(made)
    with pytest.raises(Refused) as refused:
        ask(namespace.as_user(*OPERATOR), made)

    assert SAYS[change] in str(refused.value)
    assert "airlock-pods" in str(refused.value)


AUDIENCES = [
    "k3s", "api", "kubernetes", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local", "kube-apiserver",
    "https://container.googleapis.com/v1/projects/p/locations/l/clusters/c", "sts.amazonaws.com.example", "STS.amazonaws.com",
]  # fmt: skip


@pytest.mark.parametrize("audience", AUDIENCES)
def test_user_code_is_given_no_token_of_an_audience_that_nobody_listed(namespace, audience):
    made = pod()
    mounted(made, "mine", {"projected": {"sources": [{"serviceAccountToken": {"audience": audience, "path": "t"}}]}})
    with pytest.raises(Refused, match=r"guards\.tokenAudiences"):
        ask(namespace.as_user(*OPERATOR), made)


@pytest.mark.parametrize("audience", ["sts.amazonaws.com", "api://AzureADTokenExchange"])
def test_user_code_is_given_a_token_of_a_listed_audience(namespace, audience):
    made = pod()
    mounted(made, "mine", {"projected": {"sources": [{"serviceAccountToken": {"audience": audience, "path": "t"}}]}})
    ask(namespace.as_user(*OPERATOR), made)


PATHS = [
    "/airlock", "/airlock/socket/x", "/airlock/", "/./airlock/socket", "//airlock/socket", "/x/../airlock/socket", "/airlock/./socket",
    "/x//y", "/x/./y", "/x/..", "/x/.", "airlock/socket", "./x", "/", "/../x",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_volume_is_mounted_over_airlocks_folder_however_its_path_is_written(namespace, path):
    made = pod()
    made["spec"]["volumes"].append({"name": "mine", "emptyDir": {}})
    runner(made)["volumeMounts"].append({"name": "mine", "mountPath": path})
    with pytest.raises(Refused, match="mountPath must be an absolute path"):
        ask(namespace.as_user(*OPERATOR), made)


@pytest.mark.parametrize("path", ["/data", "/data/", "/.hidden", "/a.b/..c", "/airlocked", "/var/log/x"])
def test_other_places_may_be_mounted(namespace, path):
    made = pod()
    made["spec"]["volumes"].append({"name": "mine", "emptyDir": {}})
    runner(made)["volumeMounts"].append({"name": "mine", "mountPath": path})
    ask(namespace.as_user(*OPERATOR), made)


def secret_volumes(name):
    """Every kind of volume that names a Secret, by a word for it."""
    ref = {"secretRef": {"name": name}}
    return {
        "secret": {"secret": {"secretName": name}},
        "projected": {"projected": {"sources": [{"secret": {"name": name}}]}},
        "csi": {"csi": {"driver": "d.example", "nodePublishSecretRef": {"name": name}}},
        "flexVolume": {"flexVolume": {"driver": "d.example/d"} | ref},
        "cephfs": {"cephfs": {"monitors": ["m"]} | ref},
        "cinder": {"cinder": {"volumeID": "v"} | ref},
        "rbd": {"rbd": {"monitors": ["m"], "image": "i"} | ref},
        "iscsi": {
            "iscsi": {"targetPortal": "p", "iqn": "iqn.2001-04.com.example:s", "lun": 0, "chapAuthSession": True} | ref
        },
        "scaleIO": {"scaleIO": {"gateway": "g", "system": "s", "volumeName": "v"} | ref},
        "storageos": {"storageos": {"volumeName": "v"} | ref},
        "azureFile": {"azureFile": {"secretName": name, "shareName": "s"}},
    }


def secret_environments(name):
    return {
        "env": {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}]},
        "an optional env": {
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": name, "key": "k", "optional": True}}}]
        },
        "envFrom": {"envFrom": [{"secretRef": {"name": name}}]},
        "a prefixed envFrom": {"envFrom": [{"prefix": "X_", "secretRef": {"name": name, "optional": True}}]},
    }


KINDS, WAYS = list(secret_volumes("")), list(secret_environments(""))


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_of_the_namespace_reaches_user_code_by_no_kind_of_volume_unless_it_is_allowed(namespace, kind):
    made = pod()
    mounted(made, "mine", secret_volumes("payroll")[kind])
    with pytest.raises(Refused, match=r"airlock\.dev/allowed-secrets"):
        ask(namespace.as_user(*OPERATOR), made)


def plain_pod(**spec):
    containers = [{"name": "c", "image": "i"}]
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"},
        "spec": {"serviceAccountName": "default", "containers": containers} | spec,
    }  # fmt: skip


TASKS_TOKEN = "airlock-token-7"
RESERVED = "for the sidecars of TaskRuns only"


@pytest.mark.parametrize("kind", KINDS)
def test_a_tasks_token_reaches_no_other_pod_by_any_kind_of_volume(namespace, kind):
    made = plain_pod(volumes=[{"name": "v"} | secret_volumes(TASKS_TOKEN)[kind]])
    with pytest.raises(Refused, match=RESERVED):
        ask(namespace, made)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("secret", "projected")])
def test_a_tasks_token_reaches_no_taskruns_pod_by_a_volumes_driver(namespace, kind):
    made = pod()
    made["spec"]["volumes"].append({"name": "airlock-other"} | secret_volumes(TASKS_TOKEN)[kind])
    with pytest.raises(Refused, match=RESERVED):
        ask(namespace.as_user(*OPERATOR), made)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["containers", "initContainers"])
def test_a_tasks_token_reaches_no_other_pod_by_its_environment(namespace, place, way):
    container = {"name": "x", "image": "i"} | secret_environments(TASKS_TOKEN)[way]
    made = plain_pod()
    made["spec"][place] = [*made["spec"].get(place, []), container]
    with pytest.raises(Refused, match=RESERVED):
        ask(namespace, made)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["sidecar", "runner", "bundle"])
def test_a_tasks_token_reaches_no_environment_of_a_taskruns_pod(namespace, name, way):
    made = pod_that_fetches()
    (container,) = [c for c in made["spec"]["initContainers"] + made["spec"]["containers"] if c["name"] == name]
    for field, more in secret_environments(TASKS_TOKEN)[way].items():
        container[field] = [*container.get(field, []), *more]
    with pytest.raises(Refused, match="Secrets airlock-token-"):
        ask(namespace.as_user(*OPERATOR), made)


def test_a_tasks_token_pulls_no_image(namespace):
    with pytest.raises(Refused, match=RESERVED):
        ask(namespace, plain_pod(imagePullSecrets=[{"name": TASKS_TOKEN}]))


@pytest.mark.parametrize("kind", KINDS)
def test_other_secrets_are_nobodys_business_in_other_pods(namespace, kind):
    container = {
        "name": "c",
        "image": "i",
        **secret_environments("mine")["env"],
        **secret_environments("mine")["envFrom"],
    }
    volumes = [{"name": "v"} | secret_volumes("mine")[kind]]
    ask(namespace, plain_pod(volumes=volumes, containers=[container], imagePullSecrets=[{"name": "mine"}]))


# --- debug containers, beside a pod that is there ---


@pytest.fixture(scope="module")
def there(namespace):
    """Names of pods that exist: a plain one, and one of a TaskRun. No node takes them."""
    made, other = pod(), plain_pod(nodeSelector={"no.such/node": "x"})
    made["spec"]["nodeSelector"] = {"no.such/node": "x"}
    made["metadata"]["name"], other["metadata"]["name"] = "there-1", "there"
    namespace.as_user(*OPERATOR)("create", "-f", "-", stdin=json.dumps(made))
    namespace("create", "-f", "-", stdin=json.dumps(other))
    yield {"a plain pod": "there", "a TaskRun's": "there-1"}
    namespace("delete", "pod", "--all", "--force", "--grace-period=0")


def debug(namespace, pod_name, **container):
    """kubectl debug, with more than its options can say."""
    found = json.loads(namespace("get", "pod", pod_name, "-o", "json"))
    security = {"runAsUser": 50009, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    made = {
        "name": "debugger",
        "image": "i",
        "targetContainerName": found["spec"]["containers"][0]["name"],
        "securityContext": security,
    }
    found["spec"]["ephemeralContainers"] = [made | container]
    path = f"/api/v1/namespaces/{namespace.namespace}/pods/{pod_name}/ephemeralcontainers?dryRun=All"
    namespace("replace", "--raw", path, "-f", "-", stdin=json.dumps(found))


@pytest.mark.parametrize("pods", ["a plain pod", "a TaskRun's"])
def test_a_debug_container_is_added_where_it_takes_nothing(namespace, there, pods):
    debug(namespace, there[pods])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pods", ["a plain pod", "a TaskRun's"])
def test_a_debug_container_gets_no_tasks_token_by_its_environment(namespace, there, pods, way):
    with pytest.raises(Refused, match=RESERVED):
        debug(namespace, there[pods], **secret_environments(TASKS_TOKEN)[way])


@pytest.mark.parametrize("way", WAYS)
def test_a_debug_container_of_a_taskruns_pod_gets_no_secret_that_is_not_allowed(namespace, there, way):
    with pytest.raises(Refused, match=r"airlock\.dev/allowed-secrets"):
        debug(namespace, there["a TaskRun's"], **secret_environments("payroll")[way])


@pytest.mark.parametrize(
    ("security", "says"),
    [
        ({"privileged": True, "allowPrivilegeEscalation": True}, "drop all capabilities"),
        ({"allowPrivilegeEscalation": True}, "drop all capabilities"),
        ({"capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}}, "drop all capabilities"),
        ({"runAsUser": 50001}, "not the sidecar's"),
        ({"runAsUser": 0}, "not root"),
    ],
)
def test_a_debug_container_of_a_taskruns_pod_stays_within_the_trust_line(namespace, there, security, says):
    base = {"runAsUser": 50009, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    with pytest.raises(Refused, match=says):
        debug(namespace, there["a TaskRun's"], securityContext=base | security)


# --- the label that the network policy goes by ---


LABEL = "airlock.dev/taskrun"


@pytest.mark.parametrize(
    ("pods", "word"),
    [("a plain pod", f"{LABEL}=hello"), ("a TaskRun's", f"{LABEL}=other"), ("a TaskRun's", f"{LABEL}-")],
)
@pytest.mark.parametrize(
    "user", [(), OPERATOR, ("--as=x", "--as-group=system:masters")], ids=["admin", "operator", "other"]
)
def test_nobody_sets_changes_or_removes_the_label_of_a_taskruns_pod_later(namespace, there, pods, word, user):
    with pytest.raises(Refused, match=r"airlock-pods|cannot (patch|get)"):
        namespace.as_user(*user)("label", "--overwrite", "pod", there[pods], word)


@pytest.mark.parametrize("pods", ["a plain pod", "a TaskRun's"])
def test_other_labels_may_change(namespace, there, pods):
    namespace("label", "--overwrite", "pod", there[pods], "team=x")


# --- tokens that are asked for ---


def token_request(audiences, pod_name="", uid=""):
    bound = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": pod_name, "uid": uid}} if pod_name else {}
    spec = {"audiences": audiences, "expirationSeconds": 600} | bound
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


def ask_token(kubectl, request, account="default"):
    path = f"/api/v1/namespaces/{kubectl.namespace}/serviceaccounts/{account}/token"
    kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(request))


USERS = {
    "admin": (),
    "masters": ("--as=bob", "--as-group=system:masters"),
    "of the nodes' group only": ("--as=bob", "--as-group=system:nodes", "--as-group=system:masters"),
    "of a node's name only": ("--as=system:node:x", "--as-group=system:masters"),
    "controller": ("--as=system:serviceaccount:kube-system:generic-garbage-collector", "--as-group=system:masters"),
    "operator": (*OPERATOR, "--as-group=system:masters"),
}
MANY = [["vault", "airlock"], ["airlock-2"], ["airlock.example"], ["vault", "x", "airlock/x"]]


@pytest.mark.parametrize(
    ("user", "audiences"), [*((user, ["airlock"]) for user in USERS), *(("admin", audiences) for audiences in MANY)]
)
def test_nobody_asks_for_a_token_of_airlocks_audience(namespace, user, audiences):
    with pytest.raises(Refused, match="only a kubelet may ask for one"):
        ask_token(namespace.as_user(*USERS[user]), token_request(audiences))


def test_nobody_asks_for_one_by_kubectl_for_a_pod_that_runs(namespace, there):
    name = there["a TaskRun's"]
    uid = json.loads(namespace("get", "pod", name, "-o", "json"))["metadata"]["uid"]
    bound = ("--bound-object-kind=Pod", f"--bound-object-name={name}", f"--bound-object-uid={uid}")
    with pytest.raises(Refused, match="only a kubelet may ask for one"):
        namespace("create", "token", "default", "--audience=airlock", *bound)


@pytest.mark.parametrize("audiences", [[], ["vault"], ["my-airlock"], ["vault", "sts.amazonaws.com"]])
def test_tokens_of_other_audiences_are_nobodys_business(namespace, audiences):
    ask_token(namespace, token_request(audiences))


def test_a_kubelet_asks_for_the_token_of_a_pod_of_its_own_node(namespace):
    made = pod()
    made["metadata"]["name"] = "placed"
    made["spec"]["nodeName"] = "ghost"
    namespace.as_user(*OPERATOR)("create", "-f", "-", stdin=json.dumps(made))
    try:
        uid = json.loads(namespace("get", "pod", "placed", "-o", "json"))["metadata"]["uid"]
        kubelet = namespace.as_user("--as=system:node:ghost", "--as-group=system:nodes")
        asked = token_request(["airlock"], "placed", uid)
        # The node authorizer learns of a pod a moment after it is there.
        for left in range(40, -1, -1):
            try:
                ask_token(kubelet, asked)
                break
            except Refused:
                if not left:
                    raise
                time.sleep(0.25)
    finally:
        namespace("delete", "pod", "placed", "--force", "--grace-period=0", "--wait=false")


def test_nobody_else_makes_a_taskruns_pod(namespace):
    with pytest.raises(Refused, match="create a TaskRun instead"):
        ask(namespace, pod())


@pytest.mark.parametrize("volume", [{"secret": {"secretName": "airlock-token-7"}}, {"projected": {"sources": [TOKEN]}}])
def test_no_other_pod_of_the_cluster_gets_a_platform_token(namespace, volume):
    plain = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "plain"},
        "spec": {
            "serviceAccountName": "default",
            "containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v"} | volume],
        },
    }
    with pytest.raises(Refused, match="for the sidecars of TaskRuns only"):
        ask(namespace, plain)


def test_a_plain_pod_is_nobodys_business(namespace):
    plain = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"}}
    ask(namespace, plain | {"spec": {"containers": [{"name": "c", "image": "i"}]}})


def test_an_administrator_allows_accounts_and_secrets_by_a_namespaces_annotations(namespace):
    made = pod()
    change_other_account(made)
    change_secret_of_the_namespace(made)
    change_secret_in_the_environment(made)
    allow = ("airlock.dev/allowed-secrets=other, payroll", "airlock.dev/allowed-service-accounts=default,admin")
    namespace("annotate", "namespace", namespace.namespace, *allow)
    try:
        ask(namespace.as_user(*OPERATOR), made)
    finally:
        namespace("annotate", "namespace", namespace.namespace, *(f"{each.split('=')[0]}-" for each in allow))


OWNED = {
    "apiVersion": "airlock.dev/v1alpha1",
    "kind": "TaskRun",
    "metadata": {"name": "owned"},
    "spec": {
        "dagId": "d", "taskId": "t", "runId": "r", "image": "i", "source": {"inline": "x"}, "suspend": True,
        "token": "Secret", "taskInstanceId": ID, "dagVersionId": ID,
    },
}  # fmt: skip


def test_nobody_but_a_scheduler_names_a_task_instance_or_brings_a_token(namespace):
    with pytest.raises(Refused, match=r"spec\.taskInstanceId: only a scheduler of this namespace may"):
        namespace.apply(OWNED)


ACCOUNTS = [
    "system:serviceaccount:{0}:scheduler",
    {"account": "system:serviceaccount:{1}:scheduler", "namespaces": ["{0}", "elsewhere"]},
    {"account": "robot@example.com", "namespaces": ["{1}"]},
]


@pytest.fixture(scope="module")
def two(cluster):
    """Two namespaces, and in them the rule for executors with accounts for each, for ConfigMaps instead of TaskRuns."""
    names = [f"api-owners-{place}-{uuid.uuid4().hex[:6]}" for place in "ab"]
    listed = json.loads(json.dumps(ACCOUNTS).replace("{0}", names[0]).replace("{1}", names[1]))
    helm = [
        HELM, "template", "airlock", "charts/airlock", "-n", "airlock-system", "-s", "templates/guards.yaml",
        "--set-json", f"airflow.executorAccounts={json.dumps(listed)}",
    ]  # fmt: skip
    text = subprocess.run(helm, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    policy, binding = (d for d in yaml.safe_load_all(text) if d and d["metadata"]["name"] == "airlock-taskruns")
    rule = names[0]
    policy = json.loads(json.dumps(policy).replace("bject.spec.", "bject.data."))
    policy["metadata"]["name"] = binding["metadata"]["name"] = binding["spec"]["policyName"] = rule
    resources = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
        "operations": ["CREATE", "UPDATE"],
    }
    policy["spec"]["matchConstraints"]["resourceRules"] = [resources]
    chosen = [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": names}]
    binding["spec"]["matchResources"] = {"namespaceSelector": {"matchExpressions": chosen}}
    for name in names:
        cluster("create", "namespace", name)
    cluster.apply([policy, binding])
    a, b = (cluster.of(name) for name in names)
    # A policy counts a moment after it is there.
    for _ in range(60):
        if all(not owns(each, "nobody") for each in (a, b)):
            break
        time.sleep(0.5)
    yield a, b
    cluster("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", rule)
    for name in names:
        cluster("delete", "namespace", name, "--wait=false")


def owns(kubectl, account):
    """Whether an account may make something that a scheduler owns, here."""
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned"}, "data": {"taskInstanceId": ID}}
    try:
        ask(kubectl.as_user(f"--as={account}", "--as-group=system:masters"), made)
    except Refused as refused:
        if "only a scheduler of this namespace" not in str(refused):
            raise
        return False
    return True


def test_an_executors_account_counts_in_the_namespaces_that_it_is_named_for(two):
    a, b = two
    scheduler = "system:serviceaccount:{}:scheduler"
    counts = {
        account: (owns(a, account), owns(b, account))
        for account in (
            scheduler.format(a.namespace), scheduler.format(b.namespace), "robot@example.com",
            scheduler.format("elsewhere"), "system:serviceaccount:airlock-system:airlock-server",
        )
    }  # fmt: skip

    assert counts == {
        scheduler.format(a.namespace): (True, False),
        scheduler.format(b.namespace): (True, False),
        "robot@example.com": (False, True),
        scheduler.format("elsewhere"): (False, False),
        "system:serviceaccount:airlock-system:airlock-server": (True, True),
    }


def test_whoever_may_change_a_taskrun_may_cancel_one_that_a_scheduler_made(namespace):
    namespace.as_user("--as=system:serviceaccount:airlock-system:airlock-server", "--as-group=system:masters").apply(
        OWNED
    )
    namespace("patch", "taskrun", "owned", "--type=merge", "-p", '{"spec":{"cancel":true}}')
