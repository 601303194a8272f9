"""A pod as KubernetesExecutor takes it, as a TaskRun says it: what is kept, what is left out with a word, what is refused."""

from pathlib import Path

import pytest
import yaml

from airlock_executor.kube import models
from airlock_executor.pod import composition, fields
from airlock_executor.pod.merging import merged
from airlock_executor.pod.translation import Refused, translated
from airlock_executor.settings import Queue

CRD = yaml.safe_load(Path("manifests/crd/taskruns.yaml").read_text())["spec"]["versions"][0]["schema"][
    "openAPIV3Schema"
]
POD = CRD["properties"]["spec"]["properties"]["pod"]["properties"]


def withheld(name):
    return "it is a credential" if "SECRET" in name else None


def of(spec=None, container=None, metadata=None):
    pod = {"metadata": metadata or {}, "spec": {"containers": [{"name": "base", **(container or {})}], **(spec or {})}}
    return translated(pod, ("airflow", "gpu"), withheld)


def refusals(**parts):
    with pytest.raises(Refused) as raised:
        of(**parts)
    return raised.value.refusals


def test_what_is_kept_is_what_the_resource_has():
    assert {*fields.KEPT, *fields.KEPT_OF_CONTAINER, "labels", "annotations"} == set(POD)
    volume = POD["volumes"]["items"]["properties"]
    assert {"name", *fields.VOLUME_KINDS} == set(volume)
    assert set(POD["volumeMounts"]["items"]["properties"]) == set(fields.MOUNT_FIELDS)
    assert 64 == POD["env"]["maxItems"]


def test_an_ordinary_pod_is_kept_whole():
    spec = {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "serviceAccountName": "loader",
        "runtimeClassName": "gvisor",
        "imagePullSecrets": [{"name": "registry"}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        "terminationGracePeriodSeconds": 30,
        "activeDeadlineSeconds": 600,
    }
    container = {
        "image": "images/mine:1",
        "imagePullPolicy": "Always",
        "resources": {"limits": {"memory": "1Gi"}},
        "env": [{"name": "A", "value": "1"}],
        "envFrom": [{"configMapRef": {"name": "c"}}],
        "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
    }
    found = of(spec, container, {"labels": {"team": "x"}, "annotations": {"a": "b"}, "namespace": "gpu", "name": "n"})

    assert ("images/mine:1", "gpu", "30s", "600s") == (
        found.settings.image,
        found.settings.namespace,
        found.settings.grace_period,
        found.settings.execution_timeout,
    )
    kept = {name: spec[name] for name in fields.KEPT} | {name: container[name] for name in fields.KEPT_OF_CONTAINER}
    assert kept | {"labels": {"team": "x"}, "annotations": {"a": "b"}} == found.settings.pod
    assert [] == found.notes


def test_the_official_charts_template_is_taken():
    """What the chart of Airflow renders for workers: its harmless fields are not refused, its credentials are left out."""
    spec = {
        "restartPolicy": "Never",
        "hostNetwork": False,
        "securityContext": {"runAsUser": 50000, "fsGroup": 0},
        "serviceAccountName": "airflow-worker",
        "initContainers": [],
        "volumes": [
            {"name": "logs", "emptyDir": {}},
            {"name": "config", "configMap": {"name": "airflow-config"}},
        ],
        "dnsPolicy": "ClusterFirst",
    }
    container = {
        "command": [],
        "args": [],
        "ports": [],
        "image": "apache/airflow:3.3.2",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "env": [{"name": "AIRFLOW__CORE__SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "volumeMounts": [
            {"name": "logs", "mountPath": "/opt/airflow/logs"},
            {"name": "config", "mountPath": "/opt/airflow/airflow.cfg", "subPath": "airflow.cfg", "readOnly": True},
        ],
    }
    found = of(spec, container)

    assert [{"name": "logs", "emptyDir": {}}] == found.settings.pod["volumes"]
    assert [{"name": "logs", "mountPath": "/opt/airflow/logs"}] == found.settings.pod["volumeMounts"]
    assert "env" not in found.settings.pod
    assert 2 == len(found.notes)
    assert "airflow.cfg has the database and the keys" in found.notes[1]


def test_a_volume_that_is_mounted_elsewhere_too_stays():
    container = {
        "volumeMounts": [
            {"name": "config", "mountPath": "/opt/airflow/airflow.cfg", "subPath": "airflow.cfg"},
            {"name": "config", "mountPath": "/opt/config"},
        ]
    }
    found = of({"volumes": [{"name": "config", "configMap": {"name": "c"}}]}, container)

    assert [{"name": "config", "mountPath": "/opt/config"}] == found.settings.pod["volumeMounts"]
    assert 1 == len(found.settings.pod["volumes"])


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"spec": {"shareProcessNamespace": True}}, "spec.shareProcessNamespace: user code would be beside its token"),
        ({"spec": {"hostPID": True}}, "spec.hostPID: user code would be beside its token"),
        ({"spec": {"hostNetwork": True}}, "spec.hostNetwork: user code would reach what listens on the node"),
        ({"spec": {"automountServiceAccountToken": True}}, "spec.automountServiceAccountToken: user code is not given"),
        ({"spec": {"initContainers": [{"name": "git-sync"}]}}, "spec.initContainers: whatever shares a pod"),
        ({"spec": {"schedulerName": "mine"}}, "spec.schedulerName: a TaskRun does not have this field"),
        ({"spec": {"hostAliases": [{"ip": "10.0.0.1"}]}}, "spec.hostAliases: a TaskRun does not have this field"),
        (
            {"spec": {"securityContext": {"runAsUser": 0}}},
            "spec.securityContext.runAsUser: a TaskRun's pod is restricted",
        ),
        ({"container": {"securityContext": {"privileged": True}}}, "spec.containers[0].securityContext.privileged"),
        (
            {"container": {"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}},
            "spec.containers[0].securityContext.capabilities.add",
        ),
        ({"container": {"command": ["bash"]}}, "spec.containers[0].command: the container runs the launcher"),
        ({"container": {"lifecycle": {"preStop": {}}}}, "spec.containers[0].lifecycle: a hook would run"),
        ({"container": {"livenessProbe": {"exec": {}}}}, "spec.containers[0].livenessProbe: a TaskRun does not have"),
        (
            {"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}},
            "spec.volumes[v].hostPath: it reaches other pods' tokens on the node",
        ),
        (
            {"spec": {"volumes": [{"name": "v", "nfs": {"server": "s"}}]}},
            "spec.volumes[v].nfs: a TaskRun has configMap",
        ),
        ({"spec": {"volumes": [{"name": "airlock-token", "emptyDir": {}}]}}, "spec.volumes[airlock-token]: names that"),
        (
            {"container": {"volumeMounts": [{"name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional"}]}},
            "spec.containers[0].volumeMounts[/v].mountPropagation",
        ),
        ({"metadata": {"namespace": "kube-system"}}, "metadata.namespace: kube-system is not one of airflow, gpu"),
        ({"metadata": {"labels": {"airlock.dev/taskrun": "x"}}}, "metadata.labels[airlock.dev/taskrun]: keys below"),
        (
            {"container": {"env": [{"name": f"V{n}", "value": ""} for n in range(65)]}},
            "spec.containers[0].env: there are 65 variables",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(parts, says):
    (refusal,) = refusals(**parts)

    assert refusal.startswith(says)


def test_another_container_is_refused_by_its_name():
    pod = {"spec": {"containers": [{"name": "base"}, {"name": "vector", "image": "v"}]}}

    with pytest.raises(Refused, match=r"spec.containers\[vector\]: whatever shares a pod with user code"):
        translated(pod, ("airflow",), withheld)


def test_every_refusal_is_told_at_once():
    assert 3 == len(refusals(spec={"hostPID": True, "hostIPC": True}, container={"command": ["x"]}))


def test_an_override_counts_over_the_template_field_by_field():
    template = {
        "metadata": {"labels": {"a": "1", "b": "1"}},
        "spec": {
            "nodeSelector": {"disk": "hdd", "zone": "a"},
            "priorityClassName": "low",
            "containers": [{"name": "base", "image": "one", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]}],
        },
    }  # fmt: skip
    override = {
        "metadata": {"labels": {"b": "2"}},
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "containers": [{"image": "two", "env": [{"name": "B", "value": "2"}]}, {"name": "more"}],
        },
    }
    pod = merged(template, override)

    assert {"a": "1", "b": "2"} == pod["metadata"]["labels"]
    assert ({"disk": "ssd", "zone": "a"}, "low") == (pod["spec"]["nodeSelector"], pod["spec"]["priorityClassName"])
    first, second = pod["spec"]["containers"]
    assert ("base", "two", "more") == (first["name"], first["image"], second["name"])
    assert [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}] == first["env"]


def test_an_empty_override_changes_nothing():
    begins = composition.base({"AIRFLOW__X__Y": "1"}, Queue(priority_class_name="high", node_selector={"a": "b"}))

    assert begins == merged(begins, {})


def composed(config, hook=None):
    begins = composition.base({"AIRFLOW__X__Y": "1"}, Queue(tolerations=({"key": "gpu"},)))
    return composition.composed(begins, {}, config, models.plain, hook, ("airflow",), withheld)


def test_a_queues_settings_and_the_schedulers_variables_come_first():
    pod = composed({}).settings.pod

    assert [{"name": "AIRFLOW__X__Y", "value": "1"}] == pod["env"]
    assert [{"key": "gpu"}] == pod["tolerations"]


def test_a_pod_of_kubernetes_client_is_read():
    from kubernetes.client import V1Container, V1Pod, V1PodSpec, V1ResourceRequirements

    container = V1Container(name="base", resources=V1ResourceRequirements(limits={"memory": "2Gi"}))
    pod = V1Pod(spec=V1PodSpec(containers=[container], node_selector={"disk": "ssd"}))

    assert {"limits": {"memory": "2Gi"}} == composed({"pod_override": pod}).settings.pod["resources"]
    assert {"disk": "ssd"} == composed({"pod_override": pod}).settings.pod["nodeSelector"]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"pod_override": "pod.yaml"}, "executor_config[pod_override]: it must be a kubernetes.client.V1Pod"),
        ({"KubernetesExecutor": {"image": "x"}}, "executor_config[KubernetesExecutor]: write pod_override"),
    ],
)
def test_a_config_that_is_not_a_pod_is_refused(config, says):
    with pytest.raises(Refused) as raised:
        composed(config)

    assert says in str(raised.value)


def test_a_hooks_change_is_kept_and_its_excess_refused():
    def label(pod):
        model = models.model(pod)
        model.metadata.labels = {"cost": "1"}
        return models.plain(model)

    def sidecar(pod):
        return {"spec": {"containers": [*pod["spec"]["containers"], {"name": "mesh"}]}}

    assert {"cost": "1"} == composed({}, label).settings.pod["labels"]
    with pytest.raises(Refused, match="mesh"):
        composed({}, sidecar)


def test_a_pod_survives_the_clients_model():
    pod = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "base", "env": [{"name": "A", "value": "1"}]}]},
    }

    assert pod == models.plain(models.model(pod))
