"""What is in our images, by asking the images."""

import json

import pytest

from cluster.probes import container

pytestmark = pytest.mark.slow

OURS = {
    "runner": {"airlock-wire", "airlock-sdk", "airlock-runner"},
    "sidecar": {"airlock-wire", "airlock-sidecar"},
    "operator": {"airlock-wire", "airlock-operator"},
    "server": {"airlock-wire", "airlock-server"},
}
USERS = {"runner": 50000, "sidecar": 50001, "operator": 50002, "server": 50002}
PROGRAM = {name: f"airlock_{name}" for name in OURS}

#: Prints what is installed, and every module that an interpreter has to compile before it can run it.
INSIDE = """
import importlib.metadata, json, os, subprocess, sys
verbose = [sys.executable, "-v", "-c", "import json, msgspec, subprocess, threading, " + sys.argv[1]]
done = subprocess.run(verbose, capture_output=True, text=True, check=True)
loaded = [line.split()[-1].strip("'") for line in done.stderr.splitlines() if line.startswith("# code object from")]
stale = [path for path in loaded if not path.endswith(".pyc")]
names = sorted(found.metadata["Name"].lower().replace("_", "-") for found in importlib.metadata.distributions())
writable = [folder for folder in sys.path if os.path.isdir(folder) and os.access(folder, os.W_OK)]
print(json.dumps({"names": names, "stale": stale, "loaded": len(loaded), "uid": os.getuid(), "path": sys.path, "writable": writable}))
"""


@pytest.fixture(scope="session")
def inside(pods):
    running = {}
    for name, uid in USERS.items():
        asked = container("runner", uid, "")
        asked |= {"image": f"airlock/{name}:0.1.0", "command": ["python", "-c", INSIDE, PROGRAM[name]]}
        running[name] = pods.run("", initContainers=[], containers=[asked], volumes=[])
    found = {}
    for name, pod in running.items():
        ended = pods.wait(pod, "Succeeded", "Failed")
        assert "Succeeded" == ended["status"]["phase"], pods.logs(pod)
        found[name] = json.loads(pods.logs(pod))
    return found


@pytest.mark.parametrize("name", OURS)
def test_an_image_carries_exactly_its_members(inside, name):
    assert OURS[name] == {found for found in inside[name]["names"] if found.startswith("airlock")}


@pytest.mark.parametrize("name", OURS)
def test_an_image_carries_nothing_that_is_not_in_its_lock(inside, name):
    from cluster import places

    lines = (places.ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    locked = {line.partition("==")[0] for line in lines if line[:1].isalnum()}

    assert {found for found in inside[name]["names"] if not found.startswith("airlock")} <= locked


@pytest.mark.parametrize("name", OURS)
def test_nothing_is_compiled_at_start(inside, name):
    assert [] == inside[name]["stale"]
    assert inside[name]["loaded"] > 20


@pytest.mark.parametrize("name", OURS)
def test_an_image_runs_as_its_own_user_who_can_change_no_code(inside, name):
    assert (inside[name]["uid"], inside[name]["writable"]) == (USERS[name], [])
    assert "" not in inside[name]["path"]
