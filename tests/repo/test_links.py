"""Every link of the documents leads somewhere, and every page can be found."""

import re
import subprocess
from pathlib import Path

import pytest

from reference.documents import DOCUMENTS, anchors, links

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs/README.md"


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_leads_to_a_file_and_a_heading_of_the_repository(document):
    broken = []
    for link in links(document):
        target = (document.parent / link.file).resolve() if link.file else document
        if not (target.is_file() and target.is_relative_to(ROOT)):
            broken.append(f"line {link.line}: no file {link.file}")
        elif link.anchor and link.anchor not in anchors(target):
            broken.append(f"line {link.line}: no heading #{link.anchor} in {name(target)}")

    assert [] == broken


def test_links_and_headings_are_seen(tmp_path):
    """The reader of documents itself: code is not a link, and equal headings are numbered as GitHub does."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b` page: *one*\n[x](other.md#there) `[y](no.md)` [z](https://example)\n```\n[v](w.md)\n```\n## Two\n## Two\n"
    )

    assert [("other.md", "there")] == [(link.file, link.anchor) for link in links(page)]
    assert {"a-b-page-one", "two", "two-1"} == anchors(page)


def test_every_page_is_in_the_index():
    listed = {(INDEX.parent / link.file).resolve() for link in links(INDEX)}
    pages = {path for path in DOCUMENTS if path.is_relative_to(INDEX.parent) and path.parent.name != "adr"}

    assert [] == sorted(map(name, pages - listed - {INDEX}))


def test_every_page_that_a_file_names_exists():
    """In code, comments and messages a page is named by its path from the root."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    missing = []
    for file in files:
        path = ROOT / file
        if path.suffix in {".py", ".yaml", ".sh", ".md", ".toml", ".txt", ".tpl"} and path.is_file():
            named = set(re.findall(r"(?<![\w./-])docs/[\w./-]+\.md", path.read_text()))
            missing += [f"{file}: {each}" for each in named if not (ROOT / each).is_file()]

    assert [] == missing
