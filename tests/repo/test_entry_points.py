"""Every trusted process starts isolated: it imports nothing from the current folder or from what the environment says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRUSTED = r"airlock_(?:server|sidecar|operator)"


@pytest.mark.parametrize("image", ["operator", "server", "sidecar"])
def test_an_image_starts_its_process_isolated(image):
    text = (ROOT / "images/Containerfile").read_text()
    (stage,) = re.findall(rf"^FROM process AS {image}\n(.*?)(?=^FROM|\Z)", text, re.MULTILINE | re.DOTALL)

    assert [f'ENTRYPOINT ["python", "-I", "-m", "airlock_{image}"]'] == re.findall("^ENTRYPOINT.*", stage, re.MULTILINE)


def test_the_commands_that_an_image_installs_are_isolated():
    assert 'f"#!{sys.executable} -I\\n' in (ROOT / "images/install.py").read_text()


def test_whoever_starts_a_trusted_module_does_so_isolated():
    """In the chart, the operator's pods, the local executor and the scripts."""
    started, isolated = [], []
    files = [
        *ROOT.glob("*/src/**/*.py"),
        *ROOT.glob("charts/**/*.yaml"),
        *ROOT.glob("scripts/*"),
        *ROOT.glob("images/*"),
        *ROOT.glob("images/*/*"),
    ]
    for file in filter(Path.is_file, files):  # A lint that ran before leaves folders of bytecode.
        for line in file.read_text().splitlines():
            if re.search(rf"-m\W+{TRUSTED}\b", line) and not re.search(r"usage|``|prog=", line):
                started.append((file.name, line.strip()))
                isolated += [line] * bool(re.search(rf"-I\W+-m\W+{TRUSTED}", line))

    assert len(started) >= 5
    assert len(started) == len(isolated), started


def test_a_script_takes_no_module_from_the_current_folder():
    """What needs a folder of ours names it, but for the benchmarks, which are modules of the repository's root."""
    loose = [
        (file.name, line.strip())
        for file in [*ROOT.glob("scripts/*.sh"), ROOT / "Makefile"]
        for line in file.read_text().splitlines()
        if re.search(r"python\S* -[cm] ", line) and "-m bench" not in line
    ]

    assert [] == loose
