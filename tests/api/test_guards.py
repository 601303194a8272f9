"""
What the admission policies refuse on a final pod, whoever made it: the operator's own pod, changed in one way at a time
as a webhook or a bug would, is asked for in the operator's name.
"""

import copy
import json

import pytest
from kube.kubectl import Refused
from played.taskruns import run

from airlock_operator.pods import manifest
from airlock_operator.settings import Logs, Pods


@pytest.fixture(scope="module", autouse=True)
def account(namespace):
    """A service account that exists, so that it is the policy that refuses it."""
    namespace("create", "serviceaccount", "admin")


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


def pod_that_fetches(by="copy", **spec):
    spec = {"source": None, "bundle": {"name": "sales"}, "file": "f.py"} | spec
    made = manifest(run(**spec), 1, Pods(launcher_by=by, bundles=BUNDLES), "CA")
    del made["metadata"]["namespace"], made["metadata"]["ownerReferences"]
    return made


def runner(made):
    return made["spec"]["containers"][0]


def sidecar(made):
    return made["spec"]["initContainers"][0]


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
    change_mount_state: "only the container named sidecar",
    change_own_token_volume: "one that the operator made",
    change_reserved_name_token_volume: "only the container named sidecar",
    change_token_secret: "one that the operator made",
    change_token_secret_projected: "one that the operator made",
    change_api_token: "not the Kubernetes API",
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


IDS = {"taskInstanceId": ID, "dagVersionId": ID, "runId": "r"}


@pytest.mark.parametrize("by", ["copy", "image"])
@pytest.mark.parametrize("spec", [{"runner": "airflow"}, {"runner": "airflow", "token": "Secret"} | IDS])
def test_the_pods_that_it_makes_for_an_airflow_pass_too(namespace, spec, by):
    settings = Pods(launcher_by=by, airflow_api_url="https://airflow/execution")
    made = manifest(run(**spec), 1, settings, "CA", Logs(store="s3://b", credentials_secret="store"))
    del made["metadata"]["namespace"], made["metadata"]["ownerReferences"]
    ask(namespace.as_user(*OPERATOR), made)


@pytest.mark.parametrize("by", ["copy", "image"])
@pytest.mark.parametrize("runs", ["airlock", "airflow"])
def test_a_pod_that_fetches_a_bundle_passes_with_a_secret_that_its_runner_may_not_have(namespace, runs, by):
    ask(namespace.as_user(*OPERATOR), pod_that_fetches(by, runner=runs))


@pytest.mark.parametrize("change", SAYS, ids=lambda change: change.__name__.removeprefix("change_"))
def test_a_pod_that_crosses_the_trust_line_is_refused_and_told_why(namespace, change):
    made = pod()
    change(made)
    with pytest.raises(Refused) as refused:
        ask(namespace.as_user(*OPERATOR), made)

    assert SAYS[change] in str(refused.value)
    assert "airlock-pods" in str(refused.value)


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
    with pytest.raises(Refused, match=r"spec\.taskInstanceId: only a scheduler may"):
        namespace.apply(OWNED)


def test_whoever_may_change_a_taskrun_may_cancel_one_that_a_scheduler_made(namespace):
    namespace.as_user("--as=system:serviceaccount:airlock-system:airlock-server", "--as-group=system:masters").apply(
        OWNED
    )
    namespace("patch", "taskrun", "owned", "--type=merge", "-p", '{"spec":{"cancel":true}}')
