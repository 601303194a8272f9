"""The resource, the chart, its rights, install.yaml, the samples and the code say the same."""

import functools
import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest
import yaml
from doubles.chart import ALONE, OTHERS, RENAMES

from airlock_operator import listed_bundles
from airlock_operator.observe.podfacts import BUNDLE as FETCHER
from airlock_operator.observe.podfacts import RUNNER, SIDECAR
from airlock_operator.observe.taskrun import read
from airlock_operator.pod import manifest, runner
from airlock_operator.pod.bundle import WORK_VOLUME
from airlock_operator.reasons import Reason
from airlock_operator.settings import NO_STORE, Logs, Pods, Traces, from_environment, resources
from airlock_wire import taskrun, workload

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/airlock"
HELM = ROOT / ".venvs/dev/bin/helm"
CRD = yaml.safe_load((ROOT / "manifests/crd/taskruns.yaml").read_text())
VERSION = CRD["spec"]["versions"][0]
SAMPLE = {
    "metadata": {
        "namespace": "n", "name": "x", "uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
    },
    "spec": {"dagId": "d", "taskId": "t", "image": "i", "source": {"inline": "x"}},
}  # fmt: skip
SCHEMA = VERSION["schema"]["openAPIV3Schema"]["properties"]


@functools.cache
def helm(*arguments, check=True):
    done = subprocess.run([HELM, *arguments], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done


def rendered(*arguments):
    text = helm("template", "airlock", "charts/airlock", "-n", "airlock-system", *arguments).stdout
    # The loader in C: the chart is read a hundred times here.
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def names(kind):
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_what_follows_from_other_files_was_written_again(tmp_path):
    subprocess.run(["scripts/manifests.sh", tmp_path], cwd=ROOT, check=True, timeout=60)
    pages = [f"docs/reference/{path.name}" for path in (tmp_path / "docs/reference").iterdir()]
    assert 7 == len(pages)
    for name in ("manifests/install.yaml", "charts/airlock/crd/taskruns.yaml", "docs/messages.md", *pages):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text(), f"{name}: run scripts/manifests.sh"


# --- the resource and the operator ---


def test_the_resource_and_the_operator_know_the_same_fields():
    spec, status = SCHEMA["spec"]["properties"], SCHEMA["status"]["properties"]

    assert set(spec) == names(taskrun.Spec)
    assert set(status) == names(taskrun.Status)
    assert set(spec["access"]["properties"]) == names(taskrun.Access)
    # Which connections must be named one by one follows from whose server it is.
    lists = {f.name for f in msgspec.structs.fields(taskrun.Access)}
    assert lists | {"connections_by_name"} == {f.name for f in msgspec.structs.fields(workload.Access)}
    assert set(spec["source"]["properties"]) == names(taskrun.Source)
    assert set(spec["bundle"]["properties"]) == names(taskrun.Bundle)
    assert set(status["attempts"]["items"]["properties"]) == names(taskrun.Attempt)
    assert set(status["podRef"]["properties"]) == names(taskrun.PodRef)


def test_every_pod_setting_that_can_be_given_reaches_the_pod():
    handled = {*manifest.POD_FIELDS, *runner.RUNNER_FIELDS, "labels", "annotations", "imagePullSecrets", "volumes"}

    assert set(SCHEMA["spec"]["properties"]["pod"]["properties"]) == handled | {"volumeMounts"}


def test_the_defaults_of_the_resource_are_those_of_the_operator():
    defaults = {field.encode_name: field.default for field in msgspec.structs.fields(taskrun.Spec)}
    written = {name: s["default"] for name, s in SCHEMA["spec"]["properties"].items() if "default" in s}
    told = {
        name: found[1]
        for name, s in SCHEMA["spec"]["properties"].items()
        if (found := re.search(r"Defaults to (\d\w+)\.", s.get("description", "")))
    }

    assert {name: defaults[name] for name in written} == written
    assert {"pendingTimeout", "imagePullTimeout", "gracePeriod", "ttlAfterSuccess"} < set(told)
    assert {name: defaults[name] for name in told} == told


def unbounded(schema, path="spec"):
    """Where a schema lets in a text, list or map of any size."""
    kind = schema.get("type")
    if kind == "string" and "maxLength" not in schema and "enum" not in schema:
        yield path
    if kind == "array":
        if "maxItems" not in schema:
            yield path
        yield from unbounded(schema["items"], f"{path}[]")
    if kind == "object":
        if "additionalProperties" in schema and "maxProperties" not in schema:
            yield path
        if isinstance(schema.get("additionalProperties"), dict):
            yield from unbounded(schema["additionalProperties"], f"{path}{{}}")
        for name, each in schema.get("properties", {}).items():
            yield from unbounded(each, f"{path}.{name}")


def test_everything_that_an_author_can_write_has_a_bound():
    assert [] == list(unbounded(SCHEMA["spec"]))
    assert 8 >= len(VERSION["selectableFields"])


def test_every_field_that_an_author_can_write_is_explained():
    missing = [name for name, each in SCHEMA["spec"]["properties"].items() if not each.get("description")]

    assert [] == missing


def test_the_columns_are_those_that_an_administrator_reads():
    columns = [(c["name"], c.get("priority", 0)) for c in VERSION["additionalPrinterColumns"]]

    assert [
        ("DAG", 0),
        ("TASK", 0),
        ("TRY", 0),
        ("STATE", 0),
        ("REASON", 0),
        ("AGE", 0),
        ("POD", 1),
        ("NODE", 1),
        ("DURATION", 1),
    ] == columns


# --- the chart ---


def test_the_chart_is_sound():
    assert "0 chart(s) failed" in helm("lint", "--strict", "charts/airlock").stdout


WRONG = [
    ("operator.replica=2", "replica"),
    ("operator.replicas=0", "replicas"),
    ("access.default=everything", "default"),
    ("image.registry=example/", "registry"),
    ("server.env.PASSWORD=x", "PASSWORD"),
    ("watch.namespaces=team", "namespaces"),
    ("airflow.apiUrl=airflow", "apiUrl"),
    ("airflow.executorAccounts={it's}", "executorAccounts"),
    ("airflow.executorAccounts={alice}", "executorAccounts"),
    ("airflow.executorAccounts[0].account=alice", "executorAccounts"),
    ("guards.tokenAudiences={it's}", "tokenAudiences"),
    ("runner.scratchSizeLimit=4GB", "scratchSizeLimit"),
    ("runner.xcomStore.url=bucket/xcoms", "url"),
    ("runner.xcomStore.compression=zip", "compression"),
    ("fullnameOverride=Corp", "fullnameOverride"),
    ("runner.resources.requests.memory=128MB", "runner.resources.requests.memory"),
    ("runner.disruptionBudget.namespaces={Team}", "disruptionBudget"),
    ("operator.topologySpreadConstraints[0].maxSkew=1", "topologySpreadConstraints"),
    ("sidecar.resources.memoryLimit=128MB", "memoryLimit"),
    ("sidecar.resources.memory=48m", "sidecar.resources.memory"),
    ("sidecar.resources.cpu=10 m", "sidecar.resources.cpu"),
    ("sidecar.resources.cpuLimit=1c", "cpuLimit"),
    ("operator.resources.limits.memory=256MB", "operator.resources.limits.memory"),
    ("server.resources.requests.cpu=half", "server.resources.requests.cpu"),
    ("server.resources.limits.ephemeral-storage=1GB", "ephemeral-storage"),
    ("server.replicas=0", "replicas"),
    ("server.database.existingSecret=My Secret", "existingSecret"),
    ("server.persistence.size=1GB", "size"),
    ("server.persistence.size=0Gi", "size"),
    ("server.persistence.existingClaim=My Claim", "existingClaim"),
    ("server.persistence.storageClass=Fast", "storageClass"),
    ("operator.priorityClassName=High", "priorityClassName"),
    ("operator.podAnnotations.a=1", "podAnnotations"),
    ("image.registry=https://example.test", "registry"),
    ("image.registry=exa mple", "registry"),
    ("image.registry=example.test:port", "registry"),
    ("image.tag=a b", "tag"),
    ("image.pullSecrets={My_Secret}", "pullSecrets"),
    ("sidecar.pullSecrets={a/b}", "pullSecrets"),
    ("watch.namespaces={Team}", "namespaces"),
    ("watch.namespaces={team_a}", "namespaces"),
    ("watch.namespaces={a.b}", "namespaces"),
    ("airflow.apiUrl=https://air flow/execution", "apiUrl"),
    ("airflow.apiUrl=https://-bad/execution", "apiUrl"),
    ("airflow.apiUrl=https://host:port/execution", "apiUrl"),
    ("airflow.caConfigMap=Authority", "caConfigMap"),
    ("airflow.executorAccounts[0].account=a,airflow.executorAccounts[0].namespaces={A_b}", "executorAccounts"),
    ("logs.endpoint=minio:9000", "endpoint"),
    ("logs.endpoint=https://min io", "endpoint"),
    ("logs.region=eu west", "region"),
    ("proxy.https=proxy:3128", "https"),
    ("proxy.http=http://proxy.example:3128/path", "http"),
    ("bundles[0].name=sales", "classpath"),
    ("bundles[0].name=sales,bundles[0].classpath=a.B,bundles[0].image=i,bundles[0].token=x", "token"),
    (
        "bundles[0].name=sales,bundles[0].classpath=a.B,bundles[0].image=i,bundles[0].secret=airlock-token-x",
        "secret",
    ),
    ("bundles[0].name=a/b,bundles[0].classpath=a.B,bundles[0].image=i", "name"),
    ("bundles[0].name=sales,bundles[0].classpath=a.B,bundles[0].image=i,bundles[0].sizeLimit=1", "sizeLimit"),
    ("logs.store=/mnt/logs", "store"),
    ("logs.segmentMib=64", "segmentMib"),
    ("logs.password=x", "password"),
    ("traces.endpoint=collector:4318", "endpoint"),
    ("traces.endpoint=https://collector/v1/traces?key=secret", "endpoint"),
    ("traces.ratio=2", "ratio"),
    ("traces.timeoutSeconds=0", "timeoutSeconds"),
    ("metrics.podMonitor.intervalSeconds=0", "intervalSeconds"),
    ("metrics.from[0].pods=all", "from"),
]
# One run of helm names everything that is wrong in its values: a run has the wrong values that do not meet in one place.
RUNS: list[list[str]] = []


def places(value):
    """The places of the values that a --set of several gives."""
    return {re.sub(r"\[.*", "", each.split("=")[0]) for each in re.split(r",(?=[a-z]+[\[.])", value)}


for value, _ in WRONG:
    fitting = (run for run in RUNS if not any(places(value) & places(other) for other in run))
    run = next(fitting, None)
    RUNS.append([value]) if run is None else run.append(value)


@functools.cache
def complaints(run):
    """What helm says of the wrong values of a run."""
    done = helm(
        "template", "airlock", "charts/airlock", *(w for each in RUNS[run] for w in ("--set", each)), check=False
    )
    assert done.returncode != 0
    return done.stderr.splitlines()


@pytest.mark.parametrize(("value", "says"), WRONG)
def test_a_wrong_value_is_refused_by_its_name(value, says):
    run = next(n for n, each in enumerate(RUNS) if value in each)
    above = (
        {place.rsplit(".", 1)[0] for place in places(value)} | places(value) | {p.split(".")[0] for p in places(value)}
    )

    assert [line for line in complaints(run) if says in line and any(place in line for place in above)]


@pytest.mark.parametrize(
    "value", ["guards.tokenAudiences={airlock}", "guards.tokenAudiences={https://kubernetes.default.svc}"]
)
def test_no_audience_of_airlock_or_of_the_kubernetes_api_can_be_listed(value):
    done = helm("template", "airlock", "charts/airlock", "--set", value, check=False)

    assert (True, True) == (done.returncode != 0, "guards.tokenAudiences" in done.stderr)


RIGHT = [
    [
        "sidecar.resources.cpu=0.1",
        "sidecar.resources.cpuLimit=1",
        "sidecar.resources.memoryLimit=1.5Gi",
        "operator.resources.limits.memory=268435456",
        "server.resources.limits.cpu=2",
        "server.resources.limits.nvidia\\.com/gpu=1",
        "image.registry=registry.example:5000/team/mirror_1",
        "watch.namespaces={a,team-b}",
        "airflow.apiUrl=http://airflow.a.svc:8080/execution",
        "logs.endpoint=https://minio:9000",
        "proxy.https=http://user@proxy.example:3128",
        "proxy.none=.example\\,10.0.0.0/8",
        "server.persistence.existingClaim=data-0",
    ],
    ["sidecar.resources.cpuLimit=500m", "image.registry=localhost", "airflow.apiUrl=https://10.0.0.1"],
]


@pytest.mark.parametrize(
    ("memory", "limit", "fits"),
    [("129Mi", "128Mi", False), ("1Gi", "1000Mi", False), ("200M", "128Mi", False), ("128Mi", "128Mi", True), ("130M", "128Mi", True),
     ("48Mi", "0.5Gi", True), ("64Mi", "134217728", True)],
)  # fmt: skip
def test_a_sidecar_asks_for_no_more_than_it_may_have(memory, limit, fits):
    values = f"sidecar.resources.memory={memory},sidecar.resources.memoryLimit={limit}"
    done = helm("template", "airlock", "charts/airlock", "--set", values, check=False)

    assert fits == (done.returncode == 0), done.stderr
    assert fits or f"sidecar.resources.memory: {memory} is more than sidecar.resources.memoryLimit" in done.stderr


def test_right_values_are_taken():
    for values in RIGHT:
        rendered(*(word for each in values for word in ("--set", each)))


def test_a_kubernetes_that_is_too_old_is_refused_before_anything_is_made():
    done = helm("template", "airlock", "charts/airlock", "--kube-version", "1.30.9", check=False)

    assert done.returncode != 0
    assert "1.31" in done.stderr


def of_kind(documents, *kinds):
    return [d for d in documents if d["kind"] in kinds]


def test_watching_some_namespaces_takes_rights_in_these_and_one_to_review_tokens():
    documents = rendered("--set", "watch.namespaces={team-a,team-b}")
    cluster = of_kind(documents, "ClusterRole")

    assert [[{"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]}]] == [
        role["rules"] for role in cluster
    ]
    assert {"team-a", "team-b", "airlock-system"} == {r["metadata"]["namespace"] for r in of_kind(documents, "Role")}
    operator = next(d for d in of_kind(documents, "Deployment") if d["metadata"]["name"] == "airlock-operator")
    env = {e["name"]: e.get("value") for e in operator["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert "team-a,team-b" == env["AIRLOCK__OPERATOR__NAMESPACES"]


IMAGES = ("server", "operator", "sidecar", "runner")


def test_a_registry_goes_before_every_image():
    for arguments in ([], ["--set", "watch.namespaces={a}"]):
        text = yaml.safe_dump_all(rendered("--set", "image.registry=example.test/mirror,image.tag=v7", *arguments))
        images = set(re.findall(r"\S*airlock/(?:server|operator|sidecar|runner):[^\s\"']+", text))
        assert images == {f"example.test/mirror/airlock/{n}:v7" for n in IMAGES}


PLACES = {
    "tolerations": [{"key": "infra", "operator": "Exists"}],
    "nodeSelector": {"pool": "infra"},
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
}


def pods_of(*arguments):
    """The chart's pod templates: of the operator, the server and the setup Job."""
    found = of_kind(rendered(*arguments), "Deployment", "Job")
    return {d["metadata"]["name"].split("-")[1]: d["spec"]["template"] for d in found}


@pytest.mark.parametrize(("part", "pods"), [("operator", ["operator"]), ("server", ["server", "setup"])])
def test_where_pods_of_the_chart_run_is_an_administrators_to_say(part, pods):
    values = PLACES | {"podAnnotations": {"sidecar.istio.io/inject": "false"}}
    found = pods_of(*(word for k, v in values.items() for word in ("--set-json", f"{part}.{k}={json.dumps(v)}")))

    placed = [name for name, each in found.items() if {k: each["spec"].get(k) for k in PLACES} == PLACES]
    assert sorted(pods) == sorted(placed)
    assert sorted(pods) == sorted(
        n for n, d in found.items() if d["metadata"].get("annotations") == values["podAnnotations"]
    )


def test_two_operators_are_not_put_on_one_node_unless_an_administrator_says_otherwise():
    assert "podAntiAffinity" in pods_of()["operator"]["spec"]["affinity"]


def test_the_servers_database_may_be_in_a_claim_of_ones_own():
    documents = rendered("--set", "server.persistence.existingClaim=mine")
    server = next(d for d in of_kind(documents, "Deployment") if d["metadata"]["name"] == "airlock-server")

    assert [] == of_kind(documents, "PersistentVolumeClaim")
    assert [{"claimName": "mine"}] == [
        v["persistentVolumeClaim"] for v in server["spec"]["template"]["spec"]["volumes"] if v["name"] == "data"
    ]


def test_a_server_with_postgresql_has_no_claim_and_may_have_replicas():
    documents = rendered("--set", "server.database.existingSecret=postgresql,server.replicas=3")
    server = next(d for d in of_kind(documents, "Deployment") if d["metadata"]["name"] == "airlock-server")
    pod = server["spec"]["template"]["spec"]
    (url,) = [each for each in pod["containers"][0]["env"] if each["name"] == "AIRLOCK__DATABASE__URL"]

    assert [] == of_kind(documents, "PersistentVolumeClaim")
    assert {"name": "data", "emptyDir": {}} in pod["volumes"]
    assert {"secretKeyRef": {"name": "postgresql", "key": "url"}} == url["valueFrom"]
    assert (3, "RollingUpdate") == (server["spec"]["replicas"], server["spec"]["strategy"]["type"])


def test_servers_beside_one_another_need_postgresql():
    done = helm("template", "airlock", "charts/airlock", "--set", "server.replicas=2", check=False)

    assert 0 != done.returncode
    assert "server.database.existingSecret" in done.stderr


def test_a_server_with_sqlite_ends_before_the_next_one_begins():
    server = next(d for d in of_kind(rendered(), "Deployment") if d["metadata"]["name"] == "airlock-server")

    assert (1, {"type": "Recreate"}) == (server["spec"]["replicas"], server["spec"]["strategy"])


def leaves(value, path=()):
    """The paths of all values that are not maps, or are empty."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    else:
        yield path


VALUES = yaml.safe_load((CHART / "values.yaml").read_text())


def frozen(document):
    """What Kubernetes lets nobody change in an object that is there."""
    spec = document.get("spec", {})
    match document["kind"]:
        case "Job":
            return spec["template"], spec.get("selector"), spec.get("completions")
        case "PersistentVolumeClaim":
            return spec["accessModes"], spec.get("storageClassName"), spec.get("volumeMode")
        case "Deployment":
            return spec["selector"]
        case "ClusterRoleBinding" | "RoleBinding":
            return document["roleRef"]
        case "Service":
            return spec.get("clusterIP"), spec.get("type")
        case _:
            return None


def test_every_value_has_another_to_upgrade_to():
    assert {".".join(path) for path in leaves(VALUES)} == set(OTHERS)


#: A claim that is there keeps its class, by a look at the cluster, which a rendered chart does not have.
TOGETHER = sorted(set(OTHERS) - {*ALONE, *RENAMES, "server.persistence.storageClass"})


@pytest.mark.parametrize("names", [TOGETHER, *([name] for name in ALONE)], ids=lambda names: names[-1])
def test_an_upgrade_that_changes_values_changes_nothing_that_kubernetes_does_not_let_it(names):
    def found(*arguments):
        return {
            (d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]): frozen(d) for d in rendered(*arguments)
        }

    words = [word for name in names for word in ("--set-json", f"{name}={json.dumps(OTHERS[name])}")]
    before, after = found(), found(*words)

    assert [] == [key for key in before.keys() & after.keys() if before[key] != after[key]]


def test_the_setup_jobs_name_follows_from_all_of_its_template():
    def job(*arguments):
        (found,) = of_kind(rendered(*arguments), "Job")
        return found["metadata"]["name"], found["spec"]["template"]

    jobs = [
        job(),
        *(job("--set-json", f"{n}={json.dumps(OTHERS[n])}") for n in ("image.pullSecrets", "server.tolerations")),
    ]

    assert 3 == len({name for name, _ in jobs}) == len({json.dumps(template) for _, template in jobs})
    assert job() == job("--set", "operator.replicas=3")


def test_pull_secrets_reach_every_pod_of_the_chart():
    documents = of_kind(rendered("--set", "image.pullSecrets={mine}"), "Deployment", "Job")

    assert [[{"name": "mine"}]] * 3 == [d["spec"]["template"]["spec"]["imagePullSecrets"] for d in documents]


def test_an_administrators_share_can_be_left_out():
    documents = rendered("--set", "crd.install=false,guards.install=false")
    shares = ("CustomResourceDefinition", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")

    assert [] == of_kind(documents, *shares)
    assert 7 == len(of_kind(rendered(), *shares))


def test_the_database_and_the_resource_outlive_the_release():
    kept = of_kind(rendered(), "PersistentVolumeClaim", "CustomResourceDefinition")

    assert ["keep", "keep"] == [d["metadata"]["annotations"]["helm.sh/resource-policy"] for d in kept]
    assert [] == of_kind(rendered("--set", "server.persistence.enabled=false"), "PersistentVolumeClaim")


def test_every_pod_of_the_chart_is_restricted():
    for document in of_kind(rendered(), "Deployment", "Job"):
        spec = document["spec"]["template"]["spec"]
        assert True is spec["securityContext"]["runAsNonRoot"]
        for container in spec["containers"]:
            security = container["securityContext"]
            assert (["ALL"], False, True, 50002) == (
                security["capabilities"]["drop"],
                security["allowPrivilegeEscalation"],
                security["readOnlyRootFilesystem"],
                security["runAsUser"],
            )


def test_the_operator_sees_no_secret_and_the_server_no_pod():
    by_name = {(d["kind"], d["metadata"]["name"]): d for d in rendered()}
    operator = by_name["Deployment", "airlock-operator"]["spec"]["template"]["spec"]
    rights = {
        name: {resource for rule in by_name["ClusterRole", name]["rules"] for resource in rule["resources"]}
        for name in ("airlock-operator", "airlock-server")
    }

    assert [] == [v for v in operator["volumes"] if "secret" in v]
    assert {"taskruns", "taskruns/status", "pods", "events"} == rights["airlock-operator"]
    assert {"taskruns"} == rights["airlock-server"]


def test_every_right_has_its_reason_beside_it():
    for path in (*CHART.glob("templates/*rbac.yaml"), CHART / "templates/setup.yaml"):
        lines = path.read_text().splitlines()
        rules = [n for n, line in enumerate(lines) if re.match(r"\s*- apiGroups:", line)]
        assert rules
        assert [] == [f"{path.name}:{n + 1}" for n in rules if not lines[n - 1].strip().startswith("# ")]


def operator_environment(*arguments):
    documents = of_kind(rendered(*arguments), "Deployment")
    operator = next(d for d in documents if d["metadata"]["name"].endswith("-operator"))
    return {e["name"]: e.get("value", "") for e in operator["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_what_the_chart_tells_the_operator_is_what_the_operator_understands():
    values = "logs.store=s3://b/p,logs.credentialsSecret=s,logs.caKey=ca.crt,logs.chunkSeconds=2"
    airflow = "airflow.apiUrl=https://airflow.example/execution,airflow.caConfigMap=authority"
    env = operator_environment("--set", f"{values},{airflow}")
    settings = from_environment({name: value for name, value in env.items() if not name.endswith("__IDENTITY")})

    assert ("4Gi", "airlock/runner:0.1.0", "") == (
        settings.pods.scratch_size_limit, settings.pods.runner_image, settings.pods.cpu_limit,
    )  # fmt: skip
    assert Logs(store="s3://b/p", credentials_secret="s", ca_key="ca.crt", chunk_seconds=2) == settings.logs
    assert ("https://airflow.example/execution", "/etc/airlock/airflow-ca/ca.crt") == (
        settings.pods.airflow_api_url, settings.pods.airflow_ca_file,
    )  # fmt: skip
    assert NO_STORE == from_environment(operator_environment()).logs


def test_traces_are_off_by_default_and_reach_the_operator_when_they_are_on():
    values = 'traces={"endpoint": "https://c.monitoring:4318", "ratio": 0.25, "caConfigMap": "authority"}'
    env = operator_environment("--set-json", values)
    settings = from_environment({name: value for name, value in env.items() if not name.endswith("__IDENTITY")})
    pod = pods_of("--set-json", values)["operator"]["spec"]

    ca = "/etc/airlock/traces-ca/ca.crt"
    assert Traces(endpoint="https://c.monitoring:4318", ratio=0.25, timeout_seconds=10, ca_file=ca) == settings.traces
    assert {"name": "traces-ca", "configMap": {"name": "authority"}} in pod["volumes"]
    assert [] == [name for name in operator_environment() if "TRACES" in name]


@pytest.mark.parametrize(
    ("part", "name"), [("server", "AIRLOCK__LOGGING__FORMAT"), ("operator", "AIRLOCK__PODS__CA_FILE")]
)
def test_what_an_administrator_sets_of_a_part_takes_the_place_of_the_charts(part, name):
    container = pods_of("--set", f"{part}.env.{name}=other")[part]["spec"]["containers"][0]

    assert ["other"] == [each["value"] for each in container["env"] if each["name"] == name]
    assert len(container["env"]) == len({each["name"] for each in container["env"]})


def test_limits_and_proxies_reach_the_operator():
    values = "sidecar.resources.cpuLimit=0.5,proxy.https=http://p:1,proxy.none=a.example\\,b"
    env = operator_environment("--set", values)
    pods = from_environment({n: v for n, v in env.items() if not n.endswith("__IDENTITY")}).pods

    assert ("0.5", "", "http://p:1", "a.example,b") == (
        pods.cpu_limit,
        pods.http_proxy,
        pods.https_proxy,
        pods.no_proxy,
    )


def test_what_tasks_ask_for_by_default_reaches_the_operator():
    values = (
        "runner.resources.requests.memory=128Mi,runner.resources.requests.cpu=0.1,runner.resources.limits.memory=1Gi"
    )
    env = operator_environment("--set", values)

    assert {"requests": {"memory": "128Mi", "cpu": "0.1"}, "limits": {"memory": "1Gi"}} == resources(
        env["AIRLOCK__PODS__RUNNER_RESOURCES"]
    )
    assert "AIRLOCK__PODS__RUNNER_RESOURCES" not in operator_environment()


def test_where_large_xcoms_are_kept_reaches_the_operator():
    env = operator_environment(
        "--set", "runner.xcomStore.url=s3://c@b/x,runner.xcomStore.thresholdBytes=5,runner.xcomStore.compression=gzip"
    )

    assert ("s3://c@b/x", "5", "gzip") == tuple(
        env[f"AIRLOCK__PODS__XCOM_STORE{name}"] for name in ("", "_THRESHOLD_BYTES", "_COMPRESSION")
    )
    assert [] == [name for name in operator_environment() if "XCOM" in name]


def test_a_spread_of_the_operator_counts_its_own_pods_unless_it_says_which():
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    chosen = spread | {"labelSelector": {"matchLabels": {"a": "b"}}}
    pods = pods_of("--set-json", f"operator.topologySpreadConstraints={json.dumps([spread, chosen])}")
    pod = next(pod for name, pod in pods.items() if "operator" in name)

    assert [pod["metadata"]["labels"], {"a": "b"}] == [
        each["labelSelector"]["matchLabels"] for each in pod["spec"]["topologySpreadConstraints"]
    ]


BUNDLE = {
    "name": "sales",
    "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
    "kwargs": {
        "repo_url": "https://git.example/sales?a=1&b='2'",
        "tracking_ref": "$(REF)",
        "depth": 1,
        "tags": ["<a>"],
    },
    "image": "example.test/airflow-git:1",
    "secret": "sales-git",
    "sizeLimit": "2Gi",
}


KEYS = {"airlock-keys", "airlock-ca", "airlock-server-tls"}


def test_another_name_is_that_of_every_object_in_a_namespace_and_of_what_refers_to_them():
    values = ("metrics.podMonitor.enabled=true,metrics.rules.enabled=true,metrics.dashboard.enabled=true",)
    more = "runner.disruptionBudget.namespaces={a},watch.namespaces={a},fullnameOverride=corp"
    documents = rendered("--set", ",".join((*values, more)))
    names = {d["metadata"]["name"] for d in documents if d["metadata"].get("namespace")}
    env = operator_environment("--set", "fullnameOverride=corp")

    assert [] == sorted(name for name in names if not name.startswith("corp"))
    assert KEYS == {
        name for d in documents for name in re.findall(r"airlock-(?:server-tls|[a-z]+)", json.dumps(d.get("rules", [])))
    }
    assert {"corp-operator", "corp-server", "corp-setup"} == {
        subject["name"] for d in documents for subject in d.get("subjects", [])
    }
    assert ("corp-operator", "https://corp-server.airlock-system.svc:8443/execution") == (
        env["AIRLOCK__OPERATOR__LEASE"],
        env["AIRLOCK__PODS__API_URL"],
    )
    assert "system:serviceaccount:airlock-system:airlock-" not in json.dumps(documents)


def test_bundles_reach_the_operator_as_the_values_list_them():
    env = operator_environment("--set-json", f"bundles={json.dumps([BUNDLE])}")
    # As a kubelet hands it over.
    listed = env["AIRLOCK__PODS__BUNDLES"].replace("$$", "$")

    assert "$$(REF)" in env["AIRLOCK__PODS__BUNDLES"]
    assert {"sales": BUNDLE} == msgspec.to_builtins(listed_bundles.decode(listed))
    assert "AIRLOCK__PODS__BUNDLES" not in operator_environment()


def test_two_bundles_of_one_name_are_refused_before_anything_is_made():
    done = helm("template", "a", "charts/airlock", "--set-json", f"bundles={json.dumps([BUNDLE] * 2)}", check=False)

    assert (True, True) == (done.returncode != 0, 'two are named "sales"; give each its own name' in done.stderr)


def guards(name, *arguments):
    documents = of_kind(rendered(*arguments), "ValidatingAdmissionPolicy")
    return next(d for d in documents if d["metadata"]["name"] == name)["spec"]


def test_the_guards_protect_what_the_operator_makes():
    """The policies name volumes and containers; the operator must give them these very names."""
    text = (CHART / "templates/guards.yaml").read_text()
    rule = next(v["expression"] for v in guards("airlock-pods")["validations"] if "tokenVolumes)" in v["expression"])
    (allowed,) = re.findall(r"m\.name in \[([^\]]+)\]", rule)
    others = set(re.findall(r"'([^']+)'", allowed))
    given = [{"source": SAMPLE["spec"]["source"]}, {"bundle": {"name": "sales"}, "file": "f.py"}]
    mounts = {SIDECAR: set(), RUNNER: set(), FETCHER: set()}
    for each in given:
        spec = {name: value for name, value in SAMPLE["spec"].items() if name != "source"} | each
        sample = read(SAMPLE | {"spec": spec | {"runner": "airflow"}})
        settings = Pods(bundles=json.dumps([BUNDLE]))
        made = manifest.manifest(sample, 1, settings, "", Logs(store="s3://b", credentials_secret="s"))["spec"]
        for container in (*made["initContainers"], *made["containers"]):
            mounts[container["name"]] |= {m["name"] for m in container["volumeMounts"]}

    assert others == mounts[RUNNER] | mounts[FETCHER]
    assert {"airlock-socket", "airlock-launcher"} == others & mounts[SIDECAR]
    assert {WORK_VOLUME} == mounts[FETCHER] - mounts[RUNNER]
    assert [] == [name for name in mounts if f"'{name}'" not in text]
    rules = [
        v["expression"] for v in guards("airlock-pods")["validations"] if "variables.fetchers.all" in v["expression"]
    ]
    assert [mounts[FETCHER]] == [set(re.findall(r"'([^']+)'", rule)) - {"airlock-"} for rule in rules]


def test_only_the_accounts_that_an_administrator_named_may_bring_a_token():
    def allowed(*arguments):
        spec = guards("airlock-taskruns", *arguments)
        texts = [spec["validations"][0]["expression"], spec["variables"][-1]["expression"]]
        return [re.findall(r"'([^']+)'", text) for text in texts]

    server, scheduler = (
        f"system:serviceaccount:{name}" for name in ("airlock-system:airlock-server", "airflow:scheduler")
    )
    both = {"account": scheduler, "namespaces": ["airflow", "sales"]}
    assert [[server], []] == allowed()
    assert [[server], ["airflow", scheduler]] == allowed("--set", f"airflow.executorAccounts={{{scheduler}}}")
    assert [[server], ["airflow", scheduler, "sales", scheduler]] == allowed(
        "--set-json", f"airflow.executorAccounts={json.dumps([both, scheduler])}"
    )


def peers(*arguments):
    """Who may speak to the server from other namespaces, and the pods that nobody may speak to."""
    policies = {d["metadata"]["name"]: d["spec"] for d in of_kind(rendered(*arguments), "NetworkPolicy")}
    return policies["airlock-server"]["ingress"][0]["from"][0], policies.get("airlock-taskruns", {}).get("podSelector")


def test_the_network_policies_go_by_a_label_that_only_the_operator_gives():
    taskruns = {"matchExpressions": [{"key": "airlock.dev/taskrun", "operator": "Exists"}]}
    names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["a", "b"]}

    assert ({"namespaceSelector": {}, "podSelector": taskruns}, None) == peers()
    assert ({"namespaceSelector": {"matchExpressions": [names]}, "podSelector": taskruns}, taskruns) == peers(
        "--set", "watch.namespaces={a,b}"
    )
    assert any("oldLabel" in each["expression"] for each in guards("airlock-pods")["validations"])


# --- the samples ---

SAMPLES = sorted((ROOT / "manifests/samples").glob("*.yaml"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_says_what_it_shows_and_is_named_as_its_file(sample):
    text = sample.read_text()
    runs = [d for d in yaml.safe_load_all(text) if d["kind"] == "TaskRun"]

    assert text.startswith("# ")
    assert [sample.stem] == [d["metadata"]["name"] for d in runs]
    for run in runs:
        source = run["spec"].get("source")
        if source:
            compile(source["inline"], str(sample), "exec")


def test_the_failure_model_of_the_documents_is_the_codes():
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (\w*) ?\|", (ROOT / "docs/failures.md").read_text(), re.MULTILINE)
    written = {name: (kind, state) for name, kind, state in rows if name != "reason"}

    assert {str(reason): (reason.kind.value, reason.state) for reason in Reason} == written


# --- metrics ---

MONITORED = "metrics.podMonitor.enabled=true,metrics.rules.enabled=true,metrics.dashboard.enabled=true"


def test_the_pod_monitors_find_the_port_that_the_pods_name():
    documents = rendered("--set", MONITORED)
    monitors = [d["spec"] for d in of_kind(documents, "PodMonitor")]
    pods = [d["spec"]["template"] for d in of_kind(documents, "Deployment")]

    assert 2 == len(monitors)
    for monitor in monitors:
        (found,) = (
            pod for pod in pods if monitor["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
        )
        ports = {port["name"]: port["containerPort"] for port in found["spec"]["containers"][0]["ports"]}
        assert [("metrics", "30s")] == [(each["port"], each["interval"]) for each in monitor["podMetricsEndpoints"]]
        assert 8081 == ports["metrics"]
        told = {e["name"]: e.get("value") for e in found["spec"]["containers"][0]["env"]}
        assert "8081" in (told.get("AIRLOCK__OPERATOR__METRICS_PORT"), told.get("AIRLOCK__METRICS__PORT"))


def test_the_rules_and_the_dashboard_are_the_charts_files():
    documents = rendered("--set", MONITORED)
    (rules,) = of_kind(documents, "PrometheusRule")
    dashboard = next(d for d in of_kind(documents, "ConfigMap") if d["metadata"]["name"] == "airlock-dashboard")

    assert yaml.safe_load((CHART / "files/rules.yaml").read_text()) == rules["spec"]
    assert json.loads((CHART / "files/dashboard.json").read_text()) == json.loads(dashboard["data"]["airlock.json"])
    assert "1" == dashboard["metadata"]["labels"]["grafana_dashboard"]


def test_only_whom_an_administrator_names_may_scrape():
    def ports(*arguments):
        policies = {d["metadata"]["name"]: d["spec"] for d in of_kind(rendered(*arguments), "NetworkPolicy")}
        return {
            name: [(rule["ports"][0]["port"], len(rule["from"])) for rule in policies[name]["ingress"]]
            for name in ("airlock-server", "airlock-operator")
        }

    named = ("--set-json", 'metrics.from=[{"namespaceSelector":{"matchLabels":{"a":"b"}}}]')

    assert {"airlock-server": [("https", 2)], "airlock-operator": []} == ports()
    assert {"airlock-server": [("https", 2), ("metrics", 1)], "airlock-operator": [("metrics", 1)]} == ports(*named)
    assert ports() == ports(*named, "--set", "metrics.enabled=false")


def test_no_port_is_opened_for_metrics_that_are_off():
    off = rendered("--set", "metrics.enabled=false")
    done = helm("template", "a", "charts/airlock", "--set", f"metrics.enabled=false,{MONITORED}", check=False)

    assert "8081" not in json.dumps(off)
    assert (True, True) == (done.returncode != 0, "metrics.enabled" in done.stderr)
