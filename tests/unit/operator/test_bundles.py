"""The bundle that is fetched in a pod: what is an administrator's to say, and who may see what."""

import json
import re

import msgspec
import pytest
from doubles.taskruns import open_attempt, run

from airlock_operator import listed_bundles
from airlock_operator.pod.manifest import impossible, manifest
from airlock_operator.pod.runner import init_containers
from airlock_operator.pod.workload import workload
from airlock_operator.settings import Pods
from airlock_runner.airflow import bundle as command
from airlock_wire.pod import BUNDLE_VERSION

SALES = {
    "name": "sales",
    "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
    "kwargs": {"tracking_ref": "main", "git_conn_id": "git_default"},
    "image": "team/airflow-git:1",
    "secret": "sales-git",
    "sizeLimit": "2Gi",
}
LISTED = json.dumps([SALES, SALES | {"name": "public", "secret": "", "sizeLimit": "1Gi"}])
ASKED = {"source": None, "bundle": {"name": "sales", "version": "c0ffee"}, "file": "load.py"}
MOUNTS = {"airlock-launcher": ("/airlock/opt", True), "airlock-bundle-work": ("/airlock/bundle-work", False),
          "airlock-bundle": ("/airlock/bundle", False)}  # fmt: skip


def made(settings=None, **spec):
    spec = ASKED | spec
    settings = settings or Pods(bundles=LISTED)
    return manifest(run(status=open_attempt(podRef=None), **spec), 1, settings, "CA")["spec"]


def fetcher(pod):
    return next(c for c in pod["initContainers"] if c["name"] == "bundle")


def mounts(container):
    return {m["name"]: (m["mountPath"], m.get("readOnly", False)) for m in container["volumeMounts"]}


def environment(container):
    return {e["name"]: e.get("value") for e in container["env"]}


# --- the container that fetches ---


@pytest.mark.parametrize("runner", ["airlock", "airflow"])
def test_a_listed_bundle_is_fetched_by_the_launcher_in_the_administrators_image(runner):
    pod = made(runner=runner)
    container = fetcher(pod)

    assert ["sidecar", "bundle"] == [c["name"] for c in pod["initContainers"]]
    assert ("team/airflow-git:1", "python", "/airlock/opt/launcher") == (
        container["image"], container["command"][0], container["command"][-1],
    )  # fmt: skip
    assert ["bundle", "--deadline-seconds", "300", "sales", "c0ffee", "/airlock/bundle/sales"] == container["args"]
    assert "airlock-launcher" in {v["name"] for v in pod["volumes"]}


def test_the_launcher_understands_what_the_operator_asks_for():
    asked = command.parse(fetcher(made())["args"][1:])

    assert ("sales", "c0ffee", "/airlock/bundle/sales", 300.0) == tuple(asked)


def test_without_a_version_the_newest_is_asked_for():
    assert "" == fetcher(made(bundle={"name": "sales"}))["args"][-2]


def test_the_credential_is_in_the_environment_of_what_fetches_and_of_nothing_else():
    pod = made(runner="airflow")
    others = [c for c in (*pod["initContainers"], *pod["containers"]) if c["name"] != "bundle"]

    assert [{"secretRef": {"name": "sales-git"}}] == fetcher(pod)["envFrom"]
    assert "sales-git" not in json.dumps([others, pod["volumes"]])
    assert "envFrom" not in fetcher(made(bundle={"name": "public"}))


def test_the_clone_is_in_a_volume_that_nothing_else_mounts_and_the_copy_is_read_only_for_the_runner():
    pod = made(runner="airflow")
    (runner,) = pod["containers"]
    others = [c for c in (*pod["initContainers"], runner) if c["name"] != "bundle"]

    assert MOUNTS == mounts(fetcher(pod))
    assert [] == [c["name"] for c in others if "airlock-bundle-work" in mounts(c)]
    assert ["runner"] == [c["name"] for c in others if "airlock-bundle" in mounts(c)]
    assert ("/airlock/bundle", True) == mounts(runner)["airlock-bundle"]
    assert [{"sizeLimit": "2Gi"}] * 2 == [
        v["emptyDir"] for v in pod["volumes"] if v["name"].startswith("airlock-bundle")
    ]


def test_what_fetches_has_a_user_of_its_own_and_no_rights():
    pod = made()
    users = {c["name"]: c["securityContext"]["runAsUser"] for c in (*pod["initContainers"], *pod["containers"])}
    security = fetcher(pod)["securityContext"]

    assert (50003, 50001, 50000) == (users["bundle"], users["sidecar"], users["runner"])
    assert ({"drop": ["ALL"]}, True, False) == (
        security["capabilities"], security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"],
    )  # fmt: skip


def test_what_fetches_writes_into_its_own_volume_only():
    env = environment(fetcher(made()))
    places = ("HOME", "TMPDIR", "AIRFLOW_HOME", "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH")

    assert [] == [name for name in places if not f"{env[name]}/".startswith("/airlock/bundle-work/")]


def test_airflow_is_told_of_the_asked_bundle_alone():
    (told,) = json.loads(environment(fetcher(made()))["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])

    assert told == {name: SALES[name] for name in ("name", "classpath", "kwargs")}


def test_nothing_that_a_taskrun_says_is_expanded_beside_the_credential():
    """A kubelet puts variables into arguments: the version would come back, with the credential, in an error's words."""
    pod = made(bundle={"name": "sales", "version": "$(AIRFLOW_CONN_GIT_DEFAULT)"})
    listed = json.dumps([SALES | {"kwargs": {"repo_url": "$(PATH)"}}])
    configured = environment(fetcher(made(Pods(bundles=listed))))

    assert [] == [each for each in fetcher(pod)["args"] if re.search(r"(?<!\$)\$\(", each)]
    assert [] == [name for name, value in configured.items() if re.search(r"(?<!\$)\$\(", value)]


def test_a_taskrun_says_nothing_of_what_fetches_but_name_and_version():
    theirs = {
        "env": [{"name": "GIT_SSH_COMMAND", "value": "mine"}],
        "envFrom": [{"configMapRef": {"name": "mine"}}],
        "imagePullPolicy": "Never",
        "resources": {"limits": {"memory": "1Mi"}},
        "volumes": [{"name": "mine", "emptyDir": {}}],
        "volumeMounts": [{"name": "mine", "mountPath": "/mine"}],
    }

    assert fetcher(made()) == fetcher(made(pod=theirs, image="mine"))


# --- what the runner reads ---


def test_airflows_runner_reads_the_copy_as_a_local_bundle_of_that_name():
    (runner,) = made(runner="airflow")["containers"]

    assert [
        {
            "name": "sales",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": "/airlock/bundle/sales"},
        }
    ] == json.loads(environment(runner)["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])


def test_our_own_runner_reads_the_copy_and_not_the_launcher():
    (runner,) = made()["containers"]

    assert "/airlock/bundle/sales" == runner["args"][runner["args"].index("--bundle-root") + 1]
    assert "airlock-launcher" not in mounts(runner)


def test_the_sidecar_is_told_the_pinned_version():
    told = workload(run(status=open_attempt(), **ASKED), Pods()).bundle_info

    assert ("sales", "c0ffee") == (told.name, told.version)


@pytest.mark.parametrize("bundle", [{"name": "sales", "path": "/dags"}, {"name": "other"}])
@pytest.mark.parametrize("runner", ["airlock", "airflow"])
def test_a_bundle_with_a_path_or_one_that_nobody_listed_is_where_it_was(bundle, runner):
    assert made(bundle=bundle, runner=runner) == made(Pods(), bundle=bundle, runner=runner)


def test_a_taskrun_without_a_bundle_is_as_it_was():
    inline = {"source": {"inline": "x"}, "bundle": None, "file": ""}

    assert made(**inline) == made(Pods(), **inline)
    assert [] == init_containers(run(), Pods(bundles=LISTED))


# --- versions that would be something else beside the credential ---


@pytest.mark.parametrize("version", ["/proc/self", "../../..", "a/../..", "--upload-pack=x", "$(HOME)", ".", "..", "a..b", "a b", "a\n"])  # fmt: skip
def test_a_version_that_is_a_path_or_an_option_is_refused_before_a_pod_is_made(version):
    asked = ASKED | {"bundle": {"name": "sales", "version": version}}

    assert impossible(run(**asked), Pods(bundles=LISTED)).startswith("spec.bundle.version: the version of a bundle")
    assert "" == impossible(run(**asked), Pods())


@pytest.mark.parametrize("version", ["c0ffee" * 6, "v1.2.3", "2026-11-21T10:00:00+00:00", "release_7@main", "", None])
def test_versions_as_bundles_have_them_are_taken(version):
    bundle = {"name": "sales"} | ({} if version is None else {"version": version})

    assert "" == impossible(run(**ASKED | {"bundle": bundle}), Pods(bundles=LISTED))
    assert not version or re.fullmatch(BUNDLE_VERSION, version)


# --- the setting ---


def test_a_list_of_bundles_is_read_by_name():
    listed = listed_bundles.decode(LISTED)

    assert ["sales", "public"] == list(listed)
    assert ("sales-git", "2Gi", "main") == (
        listed["sales"].secret, listed["sales"].size_limit, listed["sales"].kwargs["tracking_ref"],
    )  # fmt: skip
    least = msgspec.json.encode([{name: SALES[name] for name in ("name", "classpath", "image")}]).decode()
    (alone,) = listed_bundles.decode(least).values()
    assert ({}, "", "1Gi") == (alone.kwargs, alone.secret, alone.size_limit)
    assert {} == listed_bundles.decode("")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"image": None}, "$[0].image"),
        ({"image": ""}, "[0].image: it must be an image that has Airflow"),
        ({"name": ".."}, "[0].name: it must begin with a letter"),
        ({"name": "a..b"}, "[0].name: it must not have '..' in it"),
        ({"name": "a/b"}, "[0].name: it must begin with a letter"),
        ({"classpath": "GitDagBundle"}, "[0].classpath: it must be the dotted name of a class; it is 'GitDagBundle'"),
        ({"kwargs": "main"}, "$[0].kwargs"),
        ({"secret": "Git_Secret"}, "[0].secret: it must be the name of a Secret"),
        ({"secret": "airlock-token-x"}, "[0].secret: it must not begin with airlock-"),
        ({"sizeLimit": "lots"}, "[0].sizeLimit: it must be a number of Mi, Gi or Ti: 1Gi; it is 'lots'"),
        ({"sizelimit": "1Gi"}, "sizelimit"),
    ],
)
def test_a_wrong_bundle_is_refused_by_its_place_and_field(change, says):
    with pytest.raises(ValueError) as refused:
        listed_bundles.decode(json.dumps([SALES | change]))

    assert says in str(refused.value)


@pytest.mark.parametrize("text", ["sales", "{}", '[{"name":', '["sales"]'])
def test_what_is_no_list_of_bundles_is_refused(text):
    with pytest.raises(ValueError, match="it must be a JSON list of bundles"):
        listed_bundles.decode(text)


def test_two_bundles_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"\[1\]\.name is 'sales', as another's is"):
        listed_bundles.decode(json.dumps([SALES, SALES]))
