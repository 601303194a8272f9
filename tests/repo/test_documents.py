"""What the documents say is what the code does."""

import re
from pathlib import Path

import msgspec
import pytest

from airlock_operator.settings import OperatorSettings
from airlock_server.settings import ServerSettings
from airlock_sidecar.settings import SidecarSettings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(ROOT.glob("*.md"))
TARGETS = set(re.findall(r"^([a-z0-9 -]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
NAMED = {name for group in TARGETS for name in group.split()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_command_that_is_named_exists(document):
    named = set(re.findall(r"`make ([a-z0-9-]+)`", document.read_text())) | set(
        re.findall(r"^make ([a-z0-9-]+) ", document.read_text(), re.MULTILINE)
    )

    assert named <= NAMED


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document):
    named = re.findall(
        r"`((?:tests|docs|examples|scripts|bench|server|sidecar|runner|wire|sdk|operator|charts|manifests|images)/[\w./-]+)`",
        document.read_text(),
    )

    assert [] == [name for name in named if not (ROOT / name.replace("...", "src")).exists() and "..." not in name]


def test_the_commands_everyone_relies_on_are_there():
    assert {"demo", "test", "unit", "contract", "bench", "up", "down", "e2e", "help"} <= NAMED


@pytest.mark.parametrize("kind", [ServerSettings, SidecarSettings, OperatorSettings])
def test_every_setting_says_what_it_is(kind):
    """A setting's documentation is the `#:` comment above it."""
    for section in msgspec.structs.fields(kind):
        source = Path(__import__("sys").modules[kind.__module__].__file__).read_text()
        for field in msgspec.structs.fields(section.type):
            lines = source.splitlines()
            at = next(n for n, line in enumerate(lines) if re.match(rf"    {field.name}: ", line))
            assert lines[at - 1].strip().startswith("#:"), f"{section.name}.{field.name}"


def test_the_readmes_example_is_a_dag_file_that_loads(tmp_path):
    from airlock_runner.load import load_dags

    source = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "mine.py").write_text(source)

    assert ["mine"] == list(load_dags(str(tmp_path), "mine.py"))
