"""Every command that README and docs show is run by a test, or marked as needing a cluster of one's own."""

import re
import subprocess
from pathlib import Path

import pytest

from reference.documents import DOCUMENTS, blocks
from tiers.table import TIERS

ROOT = Path(__file__).resolve().parents[2]
#: README, and the pages that show how Airlock is used. The decisions (docs/adr) show no commands.
PAGES = [
    path
    for path in DOCUMENTS
    if path == ROOT / "README.md" or (path.is_relative_to(ROOT / "docs") and path.parent.name != "adr")
]
BLOCKS = [block for path in PAGES for block in blocks(path)]
SHELL = [block for block in BLOCKS if block.language == "sh"]
OWN_CLUSTER = "cluster of one's own"
BY_MAKE_TEST = "run by make test"
#: The tests that run the blocks which name them, as they stand.
RUN_BLOCKS = {"tests/component/cli/test_documented_commands.py", "tests/e2e/test_documented_commands.py"}
#: What `make test` runs on its way: the command, the file that runs it, and how it says so.
OF_MAKE_TEST = {
    "make demo": ("tools/tiers/table.py", '"make", "--no-print-directory", "demo"'),
    "make docs": ("tools/tiers/table.py", '"make", "--no-print-directory", "docs"'),
    "make unit": ("tools/tiers/table.py", '"tests/unit"'),
    'eval "$(make -s up)"': ("tools/tiers/needs.py", '"scripts/up.sh"'),
    "make down": ("tools/tiers/needs.py", '"scripts/cluster.sh", "down"'),
}


def name(path):
    return str(path.relative_to(ROOT))


def place(block):
    return f"{block.document}:{block.line}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_says_what_it_is(page):
    """`sh` is what a reader types, `text` is what is shown. A block that says neither could hide a command."""
    known = {"sh", "text", "python", "yaml", "dockerfile"}
    outside = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)

    assert [] == [f"line {block.line}: {block.language}" for block in blocks(page) if block.language not in known]
    assert [] == re.findall(r"\n\n((?:    |\t)\S.*)", outside)


@pytest.mark.parametrize("block", SHELL, ids=place)
def test_every_command_is_run_by_a_test_or_needs_a_cluster_of_ones_own(block):
    if block.marker == BY_MAKE_TEST:
        assert [] == [line for line in block.text.splitlines() if line not in OF_MAKE_TEST]
    elif block.marker != OWN_CLUSTER:
        by = re.fullmatch(r"run by (tests/[\w/]+\.py)(?:::(\w+))?", block.marker)
        assert by, f"write above it '<!-- run by tests/FILE.py::FUNCTION -->', or '<!-- {OWN_CLUSTER} -->'"
        file, function = by.groups()
        assert file in RUN_BLOCKS or re.search(rf"^def {function}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_there_are_commands_of_each_kind():
    markers = {block.marker for block in SHELL}

    assert {OWN_CLUSTER, BY_MAKE_TEST, *(f"run by {file}" for file in RUN_BLOCKS)} <= markers


@pytest.mark.parametrize("command", OF_MAKE_TEST)
def test_make_test_runs_what_is_said_to_be_run_by_it(command):
    file, words = OF_MAKE_TEST[command]

    assert words in (ROOT / file).read_text()


@pytest.mark.parametrize("command", OF_MAKE_TEST)
def test_make_knows_the_commands(command):
    target = re.search(r"make (?:-s )?(\w+)", command)[1]
    done = subprocess.run(["make", target, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)
    assert "scripts/" in done.stdout


def test_what_make_unit_runs_is_run_by_the_tiers():
    recipe = subprocess.run(["make", "unit", "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = set(re.findall(r"tests/\w+", recipe))

    assert {"tests/unit", "tests/repo", "tests/component"} == folders
    assert folders <= {word for tier in TIERS for word in tier.command}
