"""The chart, as a real API server takes it: upgrades over every value, and a second release."""

import json
import subprocess
from pathlib import Path

import pytest
from doubles.chart import ALONE, FOREIGN, OTHERS, RENAMES

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = "airlock-system"


def helm(kubectl, *words):
    command = [ROOT / ".venvs/dev/bin/helm", "--kubeconfig", kubectl.kubeconfig, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def upgrade(kubectl, names, others):
    """Asks the API server to take the chart with other values over what is installed; nothing is changed."""
    words = [word for name in names for word in ("--set-json", f"{name}={json.dumps(others[name])}")]
    made = helm(
        kubectl, "template", "airlock", "charts/airlock", "-n", SYSTEM, "--is-upgrade", "--dry-run=server", *words
    )
    assert 0 == made.returncode, made.stderr
    documents = [document for document in made.stdout.split("\n---\n") if document.strip()]
    deployments = [document for document in documents if "\nkind: Deployment\n" in document]
    # What Helm takes away from a Deployment, an apply by somebody else would leave there.
    for words, some in (
        (["replace"], deployments),
        (["apply", "--server-side", "--force-conflicts"], [each for each in documents if each not in deployments]),
    ):
        # Without a namespace of kubectl's own: the objects are of several.
        command = ["kubectl", "--kubeconfig", kubectl.kubeconfig, *words, "--dry-run=server", "-f", "-"]
        asked = "\n---\n".join(some)
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120, check=False)
        assert 0 == done.returncode, done.stderr
    return made.stdout


@pytest.mark.parametrize(
    "names",
    [sorted(set(OTHERS) - {*ALONE, *FOREIGN, *RENAMES}), *([name] for name in ALONE)],
    ids=lambda names: names[-1],
)
def test_an_upgrade_over_every_value_is_taken(cluster, namespace, names):
    there = {key: [namespace.namespace] for key in ("watch.namespaces", "runner.disruptionBudget.namespaces")}
    upgrade(cluster, names, OTHERS | there)


@pytest.mark.parametrize(
    ("name", "other", "changed"),
    [
        ("server.persistence.size", "2Gi", "storage: 2Gi"),
        ("server.persistence.storageClass", "other", "storageClassName: other"),
    ],
)
def test_a_claim_that_is_there_keeps_what_cannot_change(cluster, name, other, changed):
    assert changed not in upgrade(cluster, [name], {name: other})


@pytest.mark.parametrize(("release", "place"), [("airlock", ""), ("other", SYSTEM), ("other", "")])
@pytest.mark.parametrize("values", [(), ("--set", "crd.install=false,guards.install=false,watch.namespaces={NS}")])
def test_a_second_release_is_refused_in_words_that_name_the_first(namespace, release, place, values):
    place = place or namespace.namespace
    words = [word.replace("NS", namespace.namespace) for word in values]
    done = helm(namespace, "install", release, "charts/airlock", "-n", place, "--dry-run=server", *words)

    assert done.returncode != 0
    assert f"Airlock is in this cluster already, as release airlock in namespace {SYSTEM}" in done.stderr
