"""The commands that the documents show for a cluster, run as they stand on the test cluster."""

import os
import subprocess
from pathlib import Path

import pytest
from kube.taskruns import finished, outcome

from reference.documents import DOCUMENTS, blocks

ROOT = Path(__file__).resolve().parents[2]
MARKER = "run by tests/e2e/test_documented_commands.py"
PAGES = [page for page in DOCUMENTS if any(block.marker == MARKER for block in blocks(page))]
#: The namespace that the tutorial makes and deletes.
NAMESPACE = "tutorial"


@pytest.fixture(autouse=True)
def _no_namespace_of_an_earlier_run(cluster):
    cluster("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true", seconds=120)
    yield
    cluster("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_pages_commands_do_what_it_says(page, cluster):
    environ = {**os.environ, "KUBECONFIG": cluster.kubeconfig}
    for block in blocks(page):
        if block.marker == MARKER:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.text],
                cwd=ROOT,
                env=environ,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert 0 == done.returncode, f"{block.document}:{block.line}\n{done.stdout}{done.stderr}"


def test_the_readmes_taskrun_runs(team):
    team.apply(next(block.text for block in blocks(ROOT / "README.md") if block.language == "yaml"))

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "hello"))
