"""The tree keeps its promises: names, sizes, and what must not be where."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    Path(name)
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]
CODE = [path for path in FILES if path.suffix == ".py" and path.parts[0] not in ("tests", "bench", "examples")]
MEMBERS = ("wire", "sdk", "runner", "sidecar", "operator", "server", "executor")


def test_operator_and_tests_are_never_packages():
    """`operator/__init__.py` would shadow the standard library's `operator` for every Python started here."""
    inits = [path for path in FILES if path.name == "__init__.py"]

    assert [] == [path for path in inits if path.parts[0] == "tests" or path == Path("operator/__init__.py")]


def test_a_module_is_split_before_400_lines():
    assert [] == [str(path) for path in CODE if len((ROOT / path).read_text().splitlines()) > 400]


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in CODE if "migrations" not in path.parts and path.parts[0] != "scripts"}),
    ids=str,
)
def test_a_folder_is_a_floor_of_at_most_fifteen_modules(folder):
    modules = [path.name for path in CODE if path.parent == folder and not path.name.startswith("__")]

    assert len(modules) <= 15, sorted(modules)


@pytest.mark.parametrize(
    "package", sorted({path.parent for path in CODE if "src" in path.parts and "migrations" not in path.parts}), ids=str
)
def test_a_folder_says_what_it_is_for(package):
    init = ROOT / package / "__init__.py"

    assert init.read_text().startswith('"""'), f"{package} has no docstring"


def test_what_runs_user_code_knows_no_taskrun():
    """The runner and the SDK are told of one task instance; what asked for it is not theirs to know."""
    own = [path for path in CODE if path.parts[0] in ("runner", "sdk")]

    assert len(own) > 20
    assert [] == [str(path) for path in own if "airlock_wire.taskrun" in (ROOT / path).read_text()]


def test_what_runs_user_code_knows_no_setting_of_the_sidecar():
    own = [path for path in CODE if path.parts[0] in ("runner", "sdk")]

    assert [] == [str(path) for path in own if "sidecar_settings" in (ROOT / path).read_text()]


@pytest.mark.parametrize("owner", ["operator", "server"])
def test_an_owner_of_a_sidecar_spells_none_of_its_settings(owner):
    """airlock_wire.sidecar_settings has their names."""
    own = [path for path in CODE if path.parts[0] == owner]

    assert len(own) > 20
    assert [] == [str(path) for path in own if re.search(r"\bSIDECAR__|__SIDECAR", (ROOT / path).read_text())]


def test_no_module_has_a_name_that_says_nothing():
    nothing = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}

    assert [] == [str(path) for path in CODE if nothing & {part.removesuffix(".py") for part in path.parts}]


@pytest.mark.parametrize(
    "path", [path for path in CODE if path.name != "__init__.py" and "migrations" not in path.parts], ids=str
)
def test_a_module_says_what_it_is_for(path):
    source = (ROOT / path).read_text()

    assert source.startswith(('"""', "#!")), f"{path} has no docstring"


@pytest.mark.parametrize("member", MEMBERS)
def test_every_member_is_typed_and_versioned_alike(member):
    project = (ROOT / member / "pyproject.toml").read_text()

    assert f'name = "airlock-{member}"' in project
    assert 'version = "0.1.0"' in project
    assert [path for path in FILES if path.parts[0] == member and path.name == "py.typed"]


def test_nothing_names_a_host_of_a_registry_or_a_place_of_this_machine():
    hosts = re.compile(r"(pypi|npmjs|crates|golang|maven|debian)\.(org|io|com|net)|/work/(main|shared)|/opt/af")
    found = []
    for path in FILES:
        # A Go module's path is its name, whatever it looks like.
        if path != Path("tests/repo/test_layout.py") and path.suffix not in (".mod", ".sum", ".go"):
            text = (ROOT / path).read_bytes().decode("utf-8", "replace")
            found += [f"{path}: {match.group()}" for match in hosts.finditer(text)]

    assert [] == found


def test_nothing_reads_the_shared_folder():
    assert [] == [str(path) for path in CODE if "../shared" in (ROOT / path).read_text()]


@pytest.mark.parametrize("adr", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_says_what_violates_it(adr):
    text = adr.read_text()

    assert text.startswith(f"# {adr.stem[:4]}. ")
    for part in ("## Context", "## Decision", "## Consequences", "## A change violates this when"):
        assert part in text


def test_decisions_are_numbered_once():
    numbers = [path.stem[:4] for path in (ROOT / "docs" / "adr").glob("*.md")]

    assert len(numbers) == len(set(numbers))
