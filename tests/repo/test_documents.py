"""What the documents say is what the code does."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from airlock_runner.load import load_dags
from reference import chart_values, command_line, settings
from reference.documents import blocks

ROOT = Path(__file__).resolve().parents[2]
#: Not the decisions: they speak of the tree as it was.
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for path in ROOT.glob("docs/**/*.md") if path.parent.name != "adr")])
TARGETS = set(re.findall(r"^([a-z0-9 -]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
NAMED = {name for group in TARGETS for name in group.split()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_command_that_is_named_exists(document):
    named = set(re.findall(r"`make ([a-z0-9-]+)`", document.read_text())) | set(
        re.findall(r"^make ([a-z0-9-]+)$", document.read_text(), re.MULTILINE)
    )

    assert named <= NAMED


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(document):
    named = re.findall(
        r"`((?:tests|docs|examples|scripts|bench|tools|requirements|server|sidecar|runner|wire|sdk|operator|charts|manifests|images)/[\w./-]+)`",
        document.read_text(),
    )

    assert [] == [name for name in named if not (ROOT / name.replace("...", "src")).exists() and "..." not in name]


def test_the_commands_everyone_relies_on_are_there():
    assert {"demo", "test", "unit", "contract", "bench", "up", "down", "e2e", "help"} <= NAMED


@pytest.mark.parametrize("process", settings.PROCESSES, ids=lambda process: process[0])
def test_every_setting_says_what_it_is(process):
    """A setting's documentation is the `#:` comment above it; docs/reference/settings.md shows it."""
    _, _, sections = process
    for section in msgspec.structs.fields(sections):
        told = settings.comments(section.type)
        for field in msgspec.structs.fields(section.type):
            assert told[field.name], f"{section.name}.{field.name}"


def test_every_chart_value_says_what_it_is():
    values = list(chart_values.read_values((ROOT / chart_values.VALUES).read_text()))

    assert 40 < len(values)
    assert [] == [value.path for value in values if not value.group and not value.comment]


def test_every_command_is_in_the_reference():
    page = (ROOT / "docs/reference/command-line.md").read_text()

    assert {"tasks run", "keys rotate", "grants add", "frames decode"} < set(command_line.commands())
    assert set(command_line.commands()) == set(re.findall(r"^### (.*)$", page, re.MULTILINE))


def words_of_commands():
    """Each command of `airlock` in the documents, inline or in a block, with its document."""
    for document in DOCUMENTS:
        blocks_of_it = [block.text.replace("\\\n", " ") for block in blocks(document) if block.language == "sh"]
        inline = re.findall(r"`([^`\n]*\bairlock [^`\n]*)`", document.read_text())
        for line in [*inline, *(line for text in blocks_of_it for line in text.splitlines())]:
            if found := re.search(r"(?:^|/|-- |\| )airlock ([a-z].*)", line):
                yield document.name, found[1].split()


def test_every_command_that_is_named_exists_with_its_options():
    known = command_line.commands()
    groups = {command.split()[0] for command in known}
    wrong = []
    for document, words in words_of_commands():
        command = next((each for each in (" ".join(words[:2]), words[0]) if each in known), None)
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        if command is None and not (words[0] in groups and (len(words) == 1 or not words[1].isalpha())):
            wrong.append(f"{document}: airlock {' '.join(words)}")
        elif command is not None and options - known[command]:
            wrong.append(f"{document}: airlock {command} has no {', '.join(options - known[command])}")

    assert 15 < len(list(words_of_commands()))
    assert [] == wrong


def test_every_setting_that_is_named_exists():
    page = (ROOT / "docs/reference/settings.md").read_text()
    known = set(re.findall(r"^\| `(AIRLOCK__\w+)`", page, re.MULTILINE)) | {
        "AIRLOCK__SECTION__NAME",
        "AIRLOCK__SECTION__KEY",
        "AIRLOCK__SECTION__KEY_CMD",
    }
    # A setting that is marked as secret has further forms, which its row names.
    secret = re.findall(r"^\| `(AIRLOCK__\w+)`.*\*\*Secret\*\*: also as (.*)\.", page, re.MULTILINE)
    known |= {name + form for name, forms in secret for form in ("_CMD", "_SECRET") if form in forms}
    named = {
        name for document in DOCUMENTS for name in re.findall(r"`(AIRLOCK__[A-Z_]+[A-Z])[=`]", document.read_text())
    }

    assert 4 < len(named)
    assert set() == named - known


def test_every_field_of_a_taskrun_that_is_named_exists():
    schema = yaml.safe_load((ROOT / "manifests/crd/taskruns.yaml").read_text())
    schema = schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    wrong = set()
    for document in DOCUMENTS:
        for path in re.findall(r"`((?:spec|status)(?:\.\w+)+)[`:]", document.read_text()):
            found = schema
            for name in path.split("."):
                found = found.get("properties", {}).get(name) or found.get("additionalProperties")
                if not isinstance(found, dict):
                    wrong.add(f"{document.name}: {path}")
                    break

    assert set() == wrong


def test_every_chart_value_that_is_named_exists():
    found = list(chart_values.read_values((ROOT / chart_values.VALUES).read_text()))
    values = {value.path for value in found}
    leaves = tuple(f"{value.path}." for value in found if not value.group)
    groups = "|".join(sorted({path.split(".")[0] for path in values if "." in path}))
    # Airflow's own modules are named as the chart's group of values is.
    pattern = rf"`(?!airflow\.(?:triggers|providers|sdk)\b)((?:{groups})\.[a-z][\w.]*\w)`"
    named = {(document.name, name) for document in DOCUMENTS for name in re.findall(pattern, document.read_text())}

    assert 10 < len(named)
    assert [] == sorted(each for each in named if each[1] not in values and not each[1].startswith(leaves))


#: Reasons that say that all is well, or what the task itself asked for.
IN_ORDER = {
    "WaitingForRetry", "Pending", "Starting", "Stopping", "Succeeded", "Skipped", "Deferred", "Rescheduled",
    "AwaitingInput",
}  # fmt: skip


def test_every_reason_that_is_not_in_order_has_its_line_in_troubleshooting():
    rows = re.findall(
        r"^\| (\w+) \| (?:waits|over|user|infra|token) \|", (ROOT / "docs/failures.md").read_text(), re.MULTILINE
    )
    page = (ROOT / "docs/guides/troubleshooting.md").read_text()

    assert IN_ORDER < set(rows)
    assert [] == [reason for reason in rows if reason not in IN_ORDER and not re.search(rf"\b{reason}\b", page)]


def readmes_taskrun():
    return next(block.text for block in blocks(ROOT / "README.md") if block.language == "yaml")


@pytest.mark.usefixtures("dag_files")
def test_the_readmes_taskrun_is_one_whose_dag_file_loads(tmp_path):
    run = yaml.safe_load(readmes_taskrun())
    definition = yaml.safe_load((ROOT / "manifests/crd/taskruns.yaml").read_text())["spec"]
    known = definition["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    spec = run["spec"]
    (tmp_path / "inline.py").write_text(spec["source"]["inline"])
    dags = load_dags(str(tmp_path), "inline.py")

    assert (f"{definition['group']}/{definition['versions'][0]['name']}", "TaskRun") == (run["apiVersion"], run["kind"])
    assert set() == set(spec) - set(known)
    assert [spec["dagId"]] == list(dags)
    assert [spec["taskId"]] == dags[spec["dagId"]].task_ids


def test_the_readmes_taskrun_is_on_the_first_screen():
    lines = (ROOT / "README.md").read_text().splitlines()

    assert 12 == len(readmes_taskrun().splitlines())
    assert 25 > next(n for n, line in enumerate(lines) if line == "```yaml") + 12


def test_the_readme_names_the_versions_that_the_tree_asks_for():
    text = (ROOT / "README.md").read_text()
    kubernetes = re.search(r'kubeVersion: ">=(\d+\.\d+)', (ROOT / "charts/airlock/Chart.yaml").read_text())[1]
    projects = [path.read_text() for path in ROOT.glob("*/pyproject.toml")]
    (python,) = {re.search(r'requires-python = ">=(.*)"', project)[1] for project in projects}
    (module,) = ROOT.glob("server/src/**/versions.py")
    execution_api = re.search(r'^VERSIONS = \("(.*?)"', module.read_text(), re.MULTILINE)[1]

    assert f"| Kubernetes | {kubernetes} or newer" in text
    assert f"| Python | {python} or newer" in text
    assert f"Execution API {execution_api}" in text


def test_the_readme_quotes_the_attacks_that_the_suites_try():
    """The sum of the table in SECURITY.md."""
    tries = re.findall(r"^\| [^|]+ \| (\d+) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    quoted = [
        re.search(r"^\| Airlock's own suite[^|]*\| (\d+) \| 0 \|$", (ROOT / page).read_text(), re.MULTILINE)[1]
        for page in ("README.md", "docs/guides/security.md")
    ]

    assert [str(sum(map(int, tries)))] * 2 == quoted
