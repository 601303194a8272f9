"""How programs and images are built: arguments, ingredients, and what is lent to a build."""

import json
from pathlib import Path

import pytest
from cluster import golang, images, places, processes
from cluster.commands import CommandError
from cluster.kind import cluster_config


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


@pytest.mark.parametrize("build", [*golang.NODE, golang.KIND], ids=lambda build: build.name)
def test_every_build_has_its_module_and_is_reproducible(build):
    assert (places.BUILDS / build.name / "go.mod").is_file()
    for target in build.targets:
        argv = golang.build_arguments(build, target, Path("/o"))
        assert {"-trimpath", "-mod=readonly"} <= set(argv)


@pytest.mark.parametrize("wheel", ["go", "helm"])
def test_a_fetched_program_is_hashed(wheel):
    assert "--hash=sha256:" in (places.BUILDS / wheel / "requirements.txt").read_text()


def test_an_ended_process_has_no_start_time():
    row = "7 (a) b) {} 1 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 9 9"

    assert processes.start_time(row.format("S")) == 4711
    assert processes.start_time(row.format("Z")) is None


def image(name):
    return next(found for found in images.IMAGES if found.name == name)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("sidecar", {"wire", "sidecar"}),
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


UIDS = {"runner": 50000, "sidecar": 50001, "operator": 50002, "server": 50002}


@pytest.mark.parametrize("name", UIDS)
def test_a_recipe_copies_the_members_that_it_is_given(name):
    recipe = (places.ROOT / "images" / name / "Containerfile").read_text()
    members = image(name).members

    assert f"members {UIDS[name]} {' '.join(members)}\n" in recipe
    assert [f"COPY {member} /build/{member}" for member in members] == [
        line for line in recipe.splitlines() if line.startswith("COPY") and "/build/" in line and "images/" not in line
    ]


def test_a_build_is_lent_only_where_to_fetch_from():
    listed = (
        "global.cert='/machine/ca.pem'\nglobal.index-url='https://mirror.example/simple'\n"
        ":env:.default-timeout='180'\n:env:.find-links='/opt/wheels'\n"
    )

    assert images.lent_pip_configuration(listed).splitlines() == [
        "[global]", "cert = /etc/build-ca.pem", "index-url = https://mirror.example/simple", "timeout = 180",
    ]  # fmt: skip


def test_an_extra_kind_configuration_is_added_to_ours(tmp_path):
    extra = tmp_path / "extra.json"
    extra.write_text(
        '{"containerdConfigPatches": ["c"], "kubeadmConfigPatches": ["k"], "nodes": [{"role": "control-plane", "extraMounts": [1]}]}'
    )

    config = json.loads(cluster_config(Path("/policy"), extra=str(extra), nodes=2))

    assert (config["containerdConfigPatches"], config["kubeadmConfigPatches"]) == (["c"], ["k"])
    assert len(config["kubeadmConfigPatchesJSON6902"]) == 1
    (node,) = config["nodes"]
    assert [mount if mount == 1 else mount["hostPath"] for mount in node["extraMounts"]] == [1, "/policy"]


def test_kinds_own_arguments_stay_beside_ours():
    """A merge would replace the whole list of arguments."""
    (patch,) = json.loads(cluster_config(Path("/policy"), extra="", nodes=2))["kubeadmConfigPatchesJSON6902"]

    arguments = [part for part in json.loads(patch["patch"]) if "extraArgs" in part["path"]]
    assert arguments
    assert all(part["op"] == "add" and part["path"].endswith("/-") for part in arguments)


def test_an_extra_kind_configuration_that_is_not_there_is_said_so():
    with pytest.raises(CommandError, match="AIRLOCK_KIND_CONFIG=/nowhere"):
        cluster_config(Path("/policy"), extra="/nowhere", nodes=1)
