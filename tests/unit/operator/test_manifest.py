"""The pod of an attempt: where the trust line runs through it."""

import json
import re

import msgspec
import pytest
from doubles.taskruns import UID, open_attempt, run

from airlock_operator.pod.manifest import POD_FIELDS, manifest
from airlock_operator.pod.runner import RUNNER_FIELDS
from airlock_operator.pod.sidecar import ca_file, impossible
from airlock_operator.pod.workload import workload
from airlock_operator.settings import NO_STORE, Logs, Pods
from airlock_runner.airflow import folder
from airlock_sidecar import launcher_copy
from airlock_sidecar.settings import SidecarSettings
from airlock_wire import pod as shared
from airlock_wire.taskrun import Access as SpecAccess
from airlock_wire.workload import AIRFLOWS_TRIGGERS, SERVICE_CONNECTIONS, Access, Execute

ASKED = {
    "env": [{"name": "A", "value": "1"}],
    "envFrom": [{"configMapRef": {"name": "c"}}],
    "resources": {"limits": {"memory": "64Mi"}},
    "imagePullPolicy": "Never",
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "nodeSelector": {"disk": "fast"},
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "serviceAccountName": "worker",
    "runtimeClassName": "gvisor",
    "labels": {"team": "x", "airlock.dev/taskrun": "forged"},
    "annotations": {"note": "y"},
    "imagePullSecrets": [{"name": "pull"}],
    "volumes": [{"name": "scratch", "emptyDir": {}}],
    "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
}


STORE = Logs(
    store="s3://logs/airlock",
    endpoint="https://minio:9000",
    credentials_secret="store",
    ca_key="ca.crt",
    chunk_seconds=2,
)
IDS = {
    "taskInstanceId": "01890000-0000-7000-8000-000000000001",
    "dagVersionId": "01890000-0000-7000-8000-000000000002",
    "runId": "scheduled__x",
}
SECRET = {"token": "Secret", "queue": "gpu", "contextCarrier": {"traceparent": "00-1"}} | IDS
#: Texts that a kubelet reads in one way or another.
DOLLARS = ["$(S)", "$$(S)", "$$$(S)", "$$$$(S)", "$", "$$", "a$", "$(", "$()", "$S", "${S}", "$(S", "$($(S))"]
BUNDLES_LIST = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
FETCHED = json.dumps(
    [
        {
            "name": "sales",
            "classpath": "a.B",
            "image": "i",
            "secret": "sales-git",
            "kwargs": {f"k{n}": text for n, text in enumerate(DOLLARS)},
        }
    ]
)
BUNDLE = {"source": None, "bundle": {"name": "sales", "path": "/dags"}, "file": "load.py"}


def made(attempt=1, settings=None, ca="CA", logs=NO_STORE, **spec):
    return manifest(run(status=open_attempt(attempt, podRef=None), **spec), attempt, settings or Pods(), ca, logs)


def environment(container):
    return {e["name"]: e.get("value") for e in container["env"]}


def told(pod):
    """The workload that the pod's sidecar is given."""
    value = environment(pod["spec"]["initContainers"][0])["AIRLOCK__SIDECAR__WORKLOAD"]
    return msgspec.json.decode(value.replace("$$", "$"), type=Execute)


def volume(pod, name):
    return next(each for each in pod["spec"]["volumes"] if each["name"] == name)


def mounted(container):
    return {m["name"]: (m["mountPath"], m.get("readOnly", False)) for m in container["volumeMounts"]}


def containers(pod):
    spec = pod["spec"]
    return spec["initContainers"][0], spec["containers"][0]


def test_only_the_sidecar_mounts_the_token_and_the_state():
    sidecar, runner = containers(made(pod=ASKED))

    assert {"airlock-token", "airlock-state", "airlock-log"} <= {m["name"] for m in sidecar["volumeMounts"]}
    assert {"airlock-socket", "airlock-tmp", "airlock-source", "scratch"} == {m["name"] for m in runner["volumeMounts"]}


def test_the_runner_can_connect_to_the_socket_and_not_replace_it():
    _, runner = containers(made())

    assert [True] == [m["readOnly"] for m in runner["volumeMounts"] if m["name"] == "airlock-socket"]


def test_the_two_containers_have_users_of_their_own_and_no_rights():
    sidecar, runner = containers(made())
    users = [c["securityContext"]["runAsUser"] for c in (sidecar, runner)]

    assert [50001, 50000] == users
    for container in (sidecar, runner):
        security = container["securityContext"]
        assert {"drop": ["ALL"]} == security["capabilities"]
        assert (True, True, False) == (
            security["runAsNonRoot"], security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"],
        )  # fmt: skip


def test_nothing_of_the_platform_is_in_the_runners_environment_or_arguments():
    _, runner = containers(made(settings=Pods(api_url="https://the-server", exchange_url="https://the-server/x")))

    assert "the-server" not in json.dumps(runner)
    assert "AIRLOCK__" not in json.dumps(runner)


def test_the_pod_has_no_service_account_token_but_the_sidecars():
    pod = made(pod=ASKED)
    projected = [v["projected"] for v in pod["spec"]["volumes"] if "projected" in v]

    assert False is pod["spec"]["automountServiceAccountToken"]
    assert [{"audience": "airlock", "expirationSeconds": 600, "path": "token"}] == [
        source["serviceAccountToken"] for each in projected for source in each["sources"]
    ]


def test_the_sidecar_is_native_and_has_no_startup_probe():
    sidecar, _ = containers(made())

    assert "Always" == sidecar["restartPolicy"]
    assert not {"startupProbe", "readinessProbe", "livenessProbe"} & set(sidecar)


@pytest.mark.parametrize("field", POD_FIELDS)
def test_what_an_author_may_set_of_the_pod_is_taken_over(field):
    assert ASKED[field] == made(pod=ASKED)["spec"][field]


@pytest.mark.parametrize("field", [f for f in RUNNER_FIELDS if f != "env"])
def test_what_an_author_may_set_of_the_runner_is_taken_over(field):
    assert ASKED[field] == containers(made(pod=ASKED))[1][field]


def test_an_author_cannot_claim_another_taskruns_pod():
    labels = made(pod=ASKED)["metadata"]["labels"]

    assert ("hello", "1", "x") == (labels["airlock.dev/taskrun"], labels["airlock.dev/attempt"], labels["team"])


def test_volumes_of_the_author_are_writable_for_the_runners_user_and_nobody_elses_group_is_touched():
    assert 50000 == made(pod=ASKED)["spec"]["securityContext"]["fsGroup"]
    assert "fsGroup" not in made()["spec"]["securityContext"]


def test_the_pod_belongs_to_its_taskrun_and_to_that_one_only():
    owner = made(attempt=3)["metadata"]["ownerReferences"]

    assert [("TaskRun", "hello", UID, True)] == [(o["kind"], o["name"], o["uid"], o["controller"]) for o in owner]
    assert "hello-3" == made(attempt=3)["metadata"]["name"]


def test_inline_source_is_shown_to_the_runner_alone():
    pod = made(source={"inline": "print($(HOME))"})
    sidecar, runner = containers(pod)

    assert "print($(HOME))" == pod["metadata"]["annotations"]["airlock.dev/source"]
    assert "airlock-source" in {m["name"] for m in runner["volumeMounts"]}
    assert "airlock-source" not in {m["name"] for m in sidecar["volumeMounts"]}


def test_a_bundle_is_read_from_the_image():
    bundle = {"name": "sales", "version": "v1"}
    taskrun = run(status=open_attempt(), source=None, bundle=bundle, file="daily/load.py")
    _, runner = containers(manifest(taskrun, 1, Pods(), ""))

    assert "/opt/airlock/bundles/sales" == runner["args"][runner["args"].index("--bundle-root") + 1]
    assert ("daily/load.py", "sales", "v1") == (
        workload(taskrun, Pods()).dag_rel_path, workload(taskrun, Pods()).bundle_info.name,
        workload(taskrun, Pods()).bundle_info.version,
    )  # fmt: skip


def test_the_sidecar_is_told_which_launch_it_serves():
    taskrun = run(status=open_attempt(2, **{"try": 2}), executionTimeout="1m", mapIndex=3)
    sidecar, _ = containers(manifest(taskrun, 2, Pods(), "CA"))
    env = {e["name"]: e.get("value") for e in sidecar["env"]}
    work = msgspec.json.decode(env["AIRLOCK__SIDECAR__WORKLOAD"], type=Execute)

    assert (2, 3, 60.0, "") == (work.ti.try_number, work.ti.map_index, work.execution_timeout_seconds, work.ti.id)
    assert re.fullmatch(
        r"namespace=team/dag_id=d/run_id=manual__.*/task_id=t/map_index=3/attempt=2\.log", work.log_path
    )
    assert "CA" == env["AIRLOCK__API__CA_PEM"]


def expanded(text, environment):
    """What a kubelet makes of a text (k8s.io/kubernetes/third_party/forked/golang/expansion)."""
    made, at = "", 0
    while at < len(text):
        if text[at] != "$" or at + 1 == len(text):
            made, at = made + text[at], at + 1
        elif text[at + 1] == "$":
            made, at = made + "$", at + 2
        elif text[at + 1] == "(" and ")" in text[at:]:
            name = text[at + 2 : text.index(")", at)]
            made, at = made + environment.get(name, f"$({name})"), at + len(name) + 3
        else:
            made, at = made + text[at : at + 2], at + 2
    return made


@pytest.mark.parametrize("text", DOLLARS)
def test_a_kubelet_puts_no_variable_into_what_a_taskrun_says(text):
    secret = {"S": "SECRET", "": "SECRET"}
    pod = made(runId=text, **BUNDLE | {"bundle": {"name": "sales", "path": f"/d/{text}"}})
    fetching = made(settings=Pods(bundles=FETCHED), **BUNDLE | {"bundle": {"name": "sales", "version": text}})
    sidecar, runner = containers(pod)
    fetcher = fetching["spec"]["initContainers"][1]

    assert "SECRET" in expanded("$(S)", secret)
    assert text == json.loads(expanded(environment(sidecar)["AIRLOCK__SIDECAR__WORKLOAD"], secret))["ti"]["run_id"]
    assert f"/d/{text}" == expanded(runner["args"][3], secret)
    assert text in [expanded(each, secret) for each in fetcher["args"]]
    assert text in json.loads(expanded(environment(fetcher)[BUNDLES_LIST], secret))[0]["kwargs"].values()
    for each in (sidecar, runner, fetcher, *fetching["spec"]["initContainers"]):
        values = [e.get("value") or "" for e in each["env"]] if "env" in each else []
        assert [] == [v for v in (*values, *each.get("args", [])) if "SECRET" in expanded(v, secret)]


@pytest.mark.parametrize("text", DOLLARS)
def test_airflows_runner_is_told_its_folder_as_it_is_written(text):
    runner = made(runner="airflow", **BUNDLE | {"bundle": {"name": "sales", "path": f"/d/{text}"}})["spec"][
        "containers"
    ][0]

    (bundle,) = json.loads(expanded(environment(runner)[BUNDLES_LIST], {"S": "SECRET"}))
    assert f"/d/{text}" == bundle["kwargs"]["path"]


# --- what may be written to a node's disk ---


def test_every_empty_volume_has_a_limit():
    volumes = [
        {"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": None}, {"name": "c", "emptyDir": {"medium": "Memory"}},
        {"name": "d", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "e", "configMap": {"name": "x"}},
    ]  # fmt: skip
    pod = made(pod={"volumes": volumes}, runner="airflow", settings=Pods(scratch_size_limit="2Gi"))
    limits = {v["name"]: v["emptyDir"].get("sizeLimit") for v in pod["spec"]["volumes"] if "emptyDir" in v}

    assert [] == [name for name, limit in limits.items() if not limit]
    assert ("2Gi", "2Gi", "2Gi", "2Gi", "1Gi") == tuple(limits[n] for n in ("airlock-tmp", "a", "b", "c", "d"))
    assert "Memory" == volume(pod, "c")["emptyDir"]["medium"]
    assert volumes[4] == volume(pod, "e")


# --- access ---


def test_what_a_taskrun_narrows_is_told_to_its_sidecar():
    asked = {
        "connections": ["db"], "variables": [], "variableWrites": ["v-*"], "xcomReads": ["d/*"], "xcomWrites": ["d/u"],
        "triggers": ["other"], "dagRuns": ["o"], "tasks": ["o/*"], "assets": ["a"], "assetStores": ["s3://x/*"],
        "assetEvents": ["e"], "deferrals": ["my.Trigger"],
    }  # fmt: skip

    assert Access(
        connections=("db",), variables=(), variable_writes=("v-*",), xcom_reads=("d/*",), xcom_writes=("d/u",),
        triggers=("other",), dag_runs=("o",), tasks=("o/*",), assets=("a",), asset_stores=("s3://x/*",),
        asset_events=("e",), deferrals=("my.Trigger",),
    ) == told(made(access=asked)).access  # fmt: skip


def test_what_a_taskrun_does_not_narrow_is_the_servers_to_say_but_for_xcoms_of_other_tasks():
    assert Access() == told(made()).access
    assert Access(variables=("v",)) == told(made(access={"variables": ["v"]})).access
    assert Access(xcom_writes=None, connections_by_name=("AIRFLOW_DB",)) == told(made(**SECRET)).access
    assert () == told(made(**SECRET, access={"xcomWrites": []})).access.xcom_writes


def test_what_an_administrator_lets_an_airflows_triggerer_be_told_counts_where_the_taskrun_does_not_say():
    listed = Pods(airflow_deferrals='["my.triggers.*"]', airflow_asset_events='["orders"]')
    own = {"deferrals": [], "assetEvents": ["mine"]}

    assert (
        Access(
            xcom_writes=None, deferrals=(*AIRFLOWS_TRIGGERS, "my.triggers.*"), asset_events=("orders",),
            connections_by_name=SERVICE_CONNECTIONS,
        )
        == told(made(**SECRET, settings=listed)).access
    )  # fmt: skip
    assert ((), ("mine",)) == (
        told(made(**SECRET, settings=listed, access=own)).access.deferrals,
        told(made(**SECRET, settings=listed, access=own)).access.asset_events,
    )
    # Nobody's triggerer is told anything by a task of Airlock's own server.
    assert Access() == told(made(settings=listed)).access


def test_without_a_list_of_its_own_a_success_may_claim_the_outlets_of_the_taskrun():
    outlets = [{"name": "orders", "uri": "s3://orders"}, {"type": "AssetAlias", "name": "all"}]

    assert ("all", "orders", "s3://orders") == told(made(outlets=outlets)).access.asset_events
    assert ("mine",) == told(made(outlets=outlets, access={"assetEvents": ["mine"]})).access.asset_events
    assert () == told(made(**SECRET, outlets=outlets)).access.asset_events


def test_as_many_and_as_long_grants_as_there_may_be_fit_into_a_variable():
    # A kernel takes no longer text than this as one variable of a process.
    each = ["x" * 250] * 36
    access = {field.encode_name: each for field in msgspec.structs.fields(SpecAccess)}
    carrier = {f"{n:0100}": "x" * 1024 for n in range(16)}
    pod = made(**SECRET | {"contextCarrier": carrier, "runId": "r" * 250}, access=access)

    assert len(environment(pod["spec"]["initContainers"][0])["AIRLOCK__SIDECAR__WORKLOAD"]) < 131000


# --- the log store ---


def test_without_a_log_store_nothing_is_said_of_one():
    pod = made()

    assert [] == [name for name in environment(containers(pod)[0]) if name.startswith("AIRLOCK__LOGS__")]
    assert "airlock-log-credentials" not in {v["name"] for v in pod["spec"]["volumes"]}


def test_a_log_stores_credentials_are_the_sidecars_alone():
    pod = made(logs=STORE, pod=ASKED, runner="airflow")
    sidecar, *others = [*pod["spec"]["initContainers"], *pod["spec"]["containers"]]

    assert {"secretName": "store", "defaultMode": 0o444} == volume(pod, "airlock-log-credentials")["secret"]
    assert ("/var/run/airlock-logs", True) == mounted(sidecar)["airlock-log-credentials"]
    assert [] == [c["name"] for c in others if "airlock-log-credentials" in mounted(c)]


def test_the_sidecar_is_told_where_logs_go_and_nothing_that_was_not_set():
    logs = {name: v for name, v in environment(containers(made(logs=STORE))[0]).items() if "__LOGS__" in name}

    assert {
        "AIRLOCK__LOGS__STORE": "s3://logs/airlock",
        "AIRLOCK__LOGS__ENDPOINT": "https://minio:9000",
        "AIRLOCK__LOGS__CREDENTIALS_DIR": "/var/run/airlock-logs",
        "AIRLOCK__LOGS__CA_FILE": "/var/run/airlock-logs/ca.crt",
        "AIRLOCK__LOGS__CHUNK_SECONDS": "2",
        "AIRLOCK__LOGS__SEGMENT_MIB": "8",
        "AIRLOCK__LOGS__LOCAL_MIB": "256",
        "AIRLOCK__LOGS__FINAL_SECONDS": "15",
    } == logs


def test_every_setting_of_the_sidecar_that_a_pod_is_given_is_one_that_it_knows():
    known = {
        f"AIRLOCK__{section.name}__{key.name}".upper()
        for section in msgspec.structs.fields(SidecarSettings)
        for key in msgspec.structs.fields(section.type)
    }
    for pod in (made(logs=STORE), made(runner="airflow", **SECRET)):
        assert set(environment(containers(pod)[0])) <= known


# --- Airflow's own runner ---


def test_airflows_runner_is_started_by_the_launcher_that_the_sidecar_brings():
    pod = made(runner="airflow", **BUNDLE)
    (sidecar,) = pod["spec"]["initContainers"]
    (runner,) = pod["spec"]["containers"]

    assert ("/airlock/opt/launcher", ["--socket-dir", "/airlock/socket", "--grace-seconds", "60"]) == (
        runner["command"][-1], runner["args"],
    )  # fmt: skip
    assert "/airlock/opt" == environment(sidecar)["AIRLOCK__SIDECAR__LAUNCHER_PARENT"]
    assert [("/airlock/opt", False), ("/airlock/opt", True)] == [
        mounted(each)["airlock-launcher"] for each in (sidecar, runner)
    ]
    assert "emptyDir" in volume(pod, "airlock-launcher")


def test_no_mount_of_ours_lies_in_another_because_it_could_not_be_made_in_a_read_only_one():
    for pod in (made(runner="airflow"), made(runner="airflow", logs=STORE, **SECRET)):
        for container in (*pod["spec"]["initContainers"], *pod["spec"]["containers"]):
            paths = [path for path, _ in mounted(container).values()]
            assert [] == [(a, b) for a in paths for b in paths if b.startswith(f"{a}/")]


def test_the_launchers_place_is_what_its_own_copier_makes():
    assert shared.LAUNCHER_DIR == f"{shared.LAUNCHER_PARENT}/{folder.NAME}" == f"/airlock/opt/{launcher_copy.NAME}"


def test_airflow_is_told_its_bundle_and_to_write_where_it_may():
    env = environment(made(runner="airflow", **BUNDLE)["spec"]["containers"][0])

    assert ("/tmp", "/tmp/airflow", "False") == (
        env["HOME"], env["AIRFLOW_HOME"], env["AIRFLOW__CORE__LOAD_EXAMPLES"],
    )  # fmt: skip
    assert [("sales", "airflow.dag_processing.bundles.local.LocalDagBundle", {"path": "/dags"})] == [
        (b["name"], b["classpath"], b["kwargs"])
        for b in json.loads(env["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    ]


def test_inline_source_is_a_bundle_for_airflow_too():
    pod = made(runner="airflow")
    bundles = environment(pod["spec"]["containers"][0])["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]

    assert [(told(pod).bundle_info.name, {"path": "/airlock/bundle"})] == [
        (b["name"], b["kwargs"]) for b in json.loads(bundles)
    ]


def test_what_the_author_sets_of_airflow_is_the_authors():
    theirs = [
        {"name": "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", "value": "[]"},
        {"name": "HOME", "value": "/h"},
    ]
    runner = made(runner="airflow", pod={"env": theirs})["spec"]["containers"][0]
    names = [e["name"] for e in runner["env"]]

    assert len(names) == len(set(names))
    assert ("[]", "/h") == tuple(environment(runner)[each["name"]] for each in theirs)


def test_our_own_runner_needs_no_launcher():
    pod = made()
    (sidecar,) = pod["spec"]["initContainers"]

    assert "AIRLOCK__SIDECAR__LAUNCHER_PARENT" not in environment(sidecar)
    assert "airlock-launcher" not in {v["name"] for v in pod["spec"]["volumes"]} | mounted(sidecar).keys()


# --- a token that somebody else minted ---


AIRFLOW = Pods(airflow_api_url="https://airflow/execution", airflow_ca_file="/airflow.crt", ca_file="/ours.crt")


def test_a_token_in_a_secret_is_mounted_in_the_sidecar_alone_and_nothing_is_exchanged():
    pod = made(settings=AIRFLOW, **SECRET)
    sidecar, runner = containers(pod)
    env = environment(sidecar)

    assert {"secretName": "airlock-token-hello", "defaultMode": 0o444} == volume(pod, "airlock-token")["secret"]
    assert "serviceAccountToken" not in json.dumps(pod)
    assert ("https://airflow/execution", "/var/run/airlock/token", "/var/run/airlock/lookups.json") == tuple(
        env[name] for name in ("AIRLOCK__API__URL", "AIRLOCK__SIDECAR__TOKEN_FILE", "AIRLOCK__SIDECAR__LOOKUPS_FILE")
    )
    assert not {"AIRLOCK__API__EXCHANGE_URL", "AIRLOCK__SIDECAR__POD_TOKEN_FILE"} & set(env)
    assert "airlock-token" not in mounted(runner)


def test_an_executor_names_its_task_instance_and_decides_about_crashes_itself():
    work = told(made(settings=AIRFLOW, **SECRET))

    assert (IDS["taskInstanceId"], IDS["dagVersionId"], IDS["runId"]) == (
        work.ti.id, work.ti.dag_version_id, work.ti.run_id,
    )  # fmt: skip
    assert ("gpu", {"traceparent": "00-1"}, False) == (work.ti.queue, work.ti.context_carrier, work.judges)
    assert told(made()).judges


def test_in_exchange_mode_the_server_names_the_task_instance_whatever_the_taskrun_says():
    assert ("", "") == (told(made(**IDS)).ti.id, told(made(**IDS)).ti.dag_version_id)


def test_each_server_is_trusted_by_its_own_authority():
    assert ("/ours.crt", "/airflow.crt") == (ca_file(run(), AIRFLOW), ca_file(run(**SECRET), AIRFLOW))


def test_a_token_of_an_airflow_that_this_operator_does_not_know_is_not_shown_to_anybody():
    assert "airflow.apiUrl" in impossible(run(**SECRET), Pods())
    assert "" == impossible(run(**SECRET), AIRFLOW) == impossible(run(), Pods())


# --- the image ---


def test_a_taskrun_without_an_image_gets_the_charts():
    settings = Pods(runner_image="example.test/airlock/runner:7", sidecar_pull_policy="Never")

    assert [
        ("example.test/airlock/runner:7", "Never"),
        ("mine", None),
        ("example.test/airlock/runner:7", "Always"),
    ] == [
        (runner["image"], runner.get("imagePullPolicy"))
        for runner in (
            containers(made(settings=settings, image="", **more))[1]
            if image is None
            else containers(made(settings=settings, image=image))[1]
            for image, more in ((None, {}), ("mine", {}), (None, {"pod": {"imagePullPolicy": "Always"}}))
        )
    ]


# --- what an administrator gives our containers ---


def ours(pod):
    return [c for c in pod["spec"]["initContainers"] if c["name"] != "runner"]


def test_a_limit_of_processors_is_every_container_of_ours_and_no_request_is_above_it():
    fetches = {"runner": "airflow"} | BUNDLE | {"bundle": {"name": "sales"}}
    limited = made(settings=Pods(cpu_limit="20m", bundles=FETCHED), **fetches)

    assert ["sidecar", "bundle"] == [c["name"] for c in ours(limited)]
    assert [("20m", "10m"), ("20m", "20m")] == [
        (c["resources"]["limits"]["cpu"], c["resources"]["requests"]["cpu"]) for c in ours(limited)
    ]
    assert [] == [
        c["name"] for c in ours(made(settings=Pods(bundles=FETCHED), **fetches)) if "cpu" in c["resources"]["limits"]
    ]


def test_proxies_are_told_to_what_reaches_out_and_not_to_user_code():
    fetches = {"runner": "airflow"} | BUNDLE | {"bundle": {"name": "sales"}}
    settings = Pods(
        https_proxy="http://p:1", no_proxy="a.example", bundles=FETCHED, airflow_api_url="https://airflow.b/x"
    )
    pod = made(settings=settings, **fetches)
    told = {
        c["name"]: environment(c) for c in (*pod["spec"]["initContainers"], *pod["spec"]["containers"]) if "env" in c
    }

    assert ["bundle", "sidecar"] == sorted(name for name, env in told.items() if "https_proxy" in env)
    for name in ("sidecar", "bundle"):
        env = told[name]
        assert "http://p:1" == env["HTTPS_PROXY"] == env["https_proxy"]
        assert {"a.example", ".svc", "airlock-server.airlock-system.svc", "airflow.b"} <= set(
            env["NO_PROXY"].split(",")
        )
        assert "HTTP_PROXY" not in env
    assert "https_proxy" not in environment(made(**fetches)["spec"]["initContainers"][0])


RESOURCES = Pods(runner_resources='{"requests": {"memory": "128Mi"}, "limits": {}}')


def test_a_task_that_says_nothing_of_resources_asks_for_what_the_administrator_says():
    assert {"requests": {"memory": "128Mi"}} == made(settings=RESOURCES)["spec"]["containers"][0]["resources"]
    assert "resources" not in made()["spec"]["containers"][0]


@pytest.mark.parametrize("resources", [{"limits": {"memory": "64Mi"}}, {"requests": {"cpu": "1"}}])
def test_a_task_that_says_something_of_resources_is_given_nothing_else(resources):
    pod = made(settings=RESOURCES, pod={"resources": resources})

    assert resources == pod["spec"]["containers"][0]["resources"]


XCOM_STORE = Pods(xcom_store="s3://c@b/xcoms", xcom_store_threshold_bytes=10, xcom_store_compression="gzip")


def test_our_runner_alone_is_told_where_large_xcoms_are_kept():
    names = ("AIRLOCK__XCOMS__STORE", "AIRLOCK__XCOMS__STORE_THRESHOLD_BYTES", "AIRLOCK__XCOMS__STORE_COMPRESSION")
    ours = environment(made(settings=XCOM_STORE)["spec"]["containers"][0])

    assert ["s3://c@b/xcoms", "10", "gzip"] == [ours[name] for name in names]
    assert set() == set(names) & set(environment(made()["spec"]["containers"][0]))
    airflows = made(settings=XCOM_STORE, runner="airflow", image="i")
    assert set() == set(names) & set(environment(airflows["spec"]["containers"][0]))
