"""kind's way as an ordinary user, with a Docker client and a kind that are played: what they are asked, in which order."""

import json
import os

import pytest

from cluster import kind, places
from cluster.commands import CommandError
from cluster.memory import Remembered
from cluster.programs import golang
from cluster.programs.builders import Docker, Recipe

PLAYED = """#!/bin/sh
echo "$(basename "$0") $*" >>"{said}"
case "$1" in
    load) echo "Loaded image: airlock/base:ordinary" ;;
    save) for word; do case "$word" in --output=*) echo image >"${{word#--output=}}" ;; esac; done ;;
    ps) cat "{folder}/ps" 2>/dev/null ;;
    inspect) cat "{folder}/inspect" ;;
esac
exit 0
"""


@pytest.fixture
def played(tmp_path, monkeypatch):
    """The folder of what they answer; and what was asked, a line each."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("docker", "kind"):
        (folder / name).write_text(PLAYED.format(said=tmp_path / "said", folder=folder))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(places, "state", lambda: tmp_path / "state")
    monkeypatch.setattr(golang, "built", lambda build: folder)
    return folder


def asked(folder):
    file = folder.parent / "said"
    return file.read_text().splitlines() if file.exists() else []


def there(folder, policy):
    """A cluster of our name, of whoever wrote this policy."""
    node = {
        "Name": "/airlock-test-control-plane",
        "Mounts": [{"Source": str(policy), "Destination": kind.AUDIT_POLICY}],
    }
    (folder / "ps").write_text("0123\n")
    (folder / "inspect").write_text(json.dumps([node]))


def test_an_image_is_built_from_an_archive_into_an_archive(played, tmp_path):
    (tmp_path / "base.tar").touch()
    bases = {"BASE": tmp_path / "base.tar"}
    Docker().build(Recipe("x/Containerfile"), tmp_path / "context", bases, "docker.io/airlock/x:1", tmp_path / "x.tar")

    assert ["docker load", "docker build", "docker save"] == [" ".join(line.split()[:2]) for line in asked(played)]
    assert "--build-arg=BASE=airlock/base:ordinary" in asked(played)[1]
    assert (tmp_path / "x.tar").exists()


def test_a_base_is_kept_under_a_name_that_a_build_can_start_from(played, tmp_path):
    Docker().pull("python@sha256:0", "docker.io/airlock/base:ordinary", tmp_path / "base.tar")

    assert [
        "docker pull python@sha256:0",
        "docker tag python@sha256:0 docker.io/airlock/base:ordinary",
        f"docker save --output={tmp_path / 'base.tar'} docker.io/airlock/base:ordinary",
    ] == asked(played)


def test_a_cluster_whose_state_is_gone_is_ended_by_its_owner(played, tmp_path):
    there(played, tmp_path / "cache/airlock/kind/audit-policy.json")
    kind.Kind().down()

    assert "kind delete cluster --name=airlock-test" in asked(played)


def test_somebody_elses_cluster_stays_and_none_is_made_beside_it(played):
    there(played, "/home/you/.cache/airlock/kind/audit-policy.json")
    kind.Kind().down()
    with pytest.raises(CommandError, match="not yours"):
        kind.Kind().up()

    assert [] == [line for line in asked(played) if line.startswith("kind ")]


def test_nothing_is_ended_where_nothing_is(played):
    kind.Kind().down()

    assert ["docker ps"] == [" ".join(line.split()[:2]) for line in asked(played)]


def test_the_pinned_kind_makes_the_cluster_and_its_policy_is_below_the_users_cache(played, tmp_path, monkeypatch):
    other = tmp_path / "path"
    other.mkdir()
    (other / "kind").write_text("#!/bin/sh\nexit 9\n")
    (other / "kind").chmod(0o755)
    monkeypatch.setenv("PATH", f"{other}:{os.environ['PATH']}")
    monkeypatch.setattr(kind.Kind, "_tools", lambda self: None)
    monkeypatch.setattr(kind.Kind, "_kubectl", lambda self, *words: "")
    kind.Kind().up()

    (created,) = [line for line in asked(played) if line.startswith("kind create")]
    assert f"--image={kind.IMAGE}" in created
    config = json.loads((tmp_path / "state/kind.yaml").read_text())
    mounts = [mount["hostPath"] for node in config["nodes"] for mount in node["extraMounts"]]
    assert [str(tmp_path / "cache/airlock/kind/audit-policy.json")] == mounts
    assert (tmp_path / "cache/airlock/kind/audit-policy.json").is_file()
    assert Remembered.load().complete
