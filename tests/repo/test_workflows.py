"""What GitHub reads of this repository is well-formed, and names what is there."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tiers.table import TIERS, Need

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


def read(path):
    return yaml.safe_load(path.read_text())


CI = read(GITHUB / "workflows/ci.yml")
RELEASE = read(GITHUB / "workflows/release.yml")


def commands(workflow):
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize(
    "path", [*sorted(GITHUB.rglob("*.yml")), ROOT / ".pre-commit-config.yaml"], ids=lambda path: path.name
)
def test_every_configuration_is_a_map(path):
    assert isinstance(read(path), dict)


def test_every_tier_is_a_job_in_the_tables_order():
    matrix = CI["jobs"]["tiers"]["strategy"]["matrix"]["include"]

    assert [(t.name, "root" if Need.ROOT in t.needs else "ordinary") for t in TIERS] == [
        (row["tier"], row["user"]) for row in matrix
    ]


def test_a_tiers_job_ends_after_the_tier_itself_would_be_ended():
    assert max(tier.most_minutes for tier in TIERS) + 30 <= CI["jobs"]["tiers"]["timeout-minutes"]


def test_each_kind_of_user_has_a_step_that_runs_the_tier():
    steps = [step for step in CI["jobs"]["tiers"]["steps"] if 'scripts/tiers.sh "$TIER"' in step.get("run", "")]

    assert ["matrix.user == 'ordinary'", "matrix.user == 'root'"] == [step["if"] for step in steps]


def test_a_release_publishes_the_images_that_the_chart_names():
    named = set(re.findall(r"airlock/([a-z]+):[0-9]", (ROOT / "manifests/install.yaml").read_text()))

    assert named == set(RELEASE["jobs"]["images"]["strategy"]["matrix"]["image"])
    recipe = (ROOT / "images/Containerfile").read_text()
    assert [] == [name for name in named if not re.search(rf"^FROM \S+ AS {name}$", recipe, re.MULTILINE)]


def test_a_release_finds_the_registry_in_the_charts_values():
    """The workflow writes the registry into this line, which must be there once."""
    lines = (ROOT / "charts/airlock/values.yaml").read_text().splitlines()

    assert 1 == lines.count('  registry: ""')
    assert any(r"s|^  registry: \"\"$|" in command for command in commands(RELEASE))


def test_the_version_is_the_same_everywhere():
    chart = read(ROOT / "charts/airlock/Chart.yaml")
    projects = [ROOT / "pyproject.toml", *ROOT.glob("*/pyproject.toml")]
    versions = {re.search(r'^version = "(.+)"$', path.read_text(), re.MULTILINE).group(1) for path in projects}

    assert {chart["version"]} == {chart["appVersion"], *versions}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_where_a_job_does_not_ask_for_more(path):
    workflow = read(path)

    assert {"contents": "read"} == workflow["permissions"]
    assert {"GITHUB_TOKEN"} >= set(re.findall(r"secrets\.(\w+)", path.read_text()))
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_puts_no_expression_into_a_command(path):
    """A tag or a name from outside would be read as shell; such a value comes as an environment variable."""
    assert [] == [command for command in commands(read(path)) if "${{" in command]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_command_of_a_workflow_is_shell_and_names_what_exists(path):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in commands(read(path)):
        checked = subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True, check=False)
        assert ("", 0) == (checked.stderr, checked.returncode)
        assert set(re.findall(r"\bmake (?:-s )?([a-z0-9-]+)", command)) <= targets
        named = re.findall(r"\b(?:scripts|tests|manifests/crd|charts)/[\w./-]*\w", command)
        assert [] == [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_has_what_github_requires(path):
    form = read(path)
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]

    assert {"name", "description", "labels", "body"} == set(form)
    assert len(ids) == len(set(ids))
    assert [] == [field["id"] for field in fields if not field["attributes"].get("label")]
    assert all(isinstance(option, str) for field in fields for option in field["attributes"].get("options", []))


def test_every_lock_and_every_go_module_is_kept_up_to_date():
    updates = read(GITHUB / "dependabot.yml")["updates"]
    folders = {}
    for update in updates:
        for pattern in update.get("directories") or [update["directory"]]:
            found = {ROOT} if pattern == "/" else {path for path in ROOT.glob(pattern[1:]) if path.is_dir()}
            assert found, pattern
            folders.setdefault(update["package-ecosystem"], set()).update(found)
    modules = {path.parent for path in (ROOT / "tests").rglob("go.mod")}
    modules |= {path.parent for path in (ROOT / "tools").rglob("go.mod")}

    assert {"pip", "github-actions", "gomod"} == set(folders)
    assert modules == {folder for folder in folders["gomod"] if (folder / "go.mod").exists()}
    assert {ROOT / "requirements"} == folders["pip"]


def test_the_hooks_of_a_commit_are_the_projects_own_commands():
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]

    assert "local" == repository["repo"]
    assert ["make fmt", "make lint"] == [hook["entry"] for hook in repository["hooks"]]
