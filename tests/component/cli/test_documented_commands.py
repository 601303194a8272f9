"""The commands that the documents show for one machine, run as they stand."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reference.documents import DOCUMENTS, blocks

ROOT = Path(__file__).resolve().parents[3]
MARKER = "run by tests/component/cli/test_documented_commands.py"
PAGES = [page for page in DOCUMENTS if any(block.marker == MARKER for block in blocks(page))]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_pages_commands_do_what_it_says(page, tmp_path):
    """
    The page's blocks in order, in a folder that looks like the repository. A block under `<!-- file: NAME -->` is written
    to that file; a `text` block under `<!-- shows -->` must be in what the commands before it printed.
    """
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / ".venvs").mkdir()
    (tmp_path / ".venvs/runtime").symlink_to(ROOT / ".venvs/dev")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIRLOCK")}
    printed, ran = "", 0
    for block in blocks(page):
        if file := re.fullmatch(r"file: ([\w./]+)", block.marker):
            (tmp_path / file[1]).write_text(block.text)
        elif block.marker == MARKER:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.text],
                cwd=tmp_path,
                env={**environ, "AIRLOCK_HOME": str(tmp_path / "home")},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert 0 == done.returncode, f"{block.document}:{block.line}\n{done.stdout}{done.stderr}"
            printed, ran = done.stdout, ran + 1
        elif block.marker == "shows":
            assert [] == [line for line in block.text.splitlines() if line not in printed], printed

    assert ran
