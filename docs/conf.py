"""How Sphinx makes the documents a site. ``scripts/docs.sh`` calls it on a copy of README, its neighbours and docs."""

from typing import Any

project = "Airlock"
html_title = "Airlock"
html_theme = "furo"
html_copy_source = False
extensions = ["myst_parser"]
root_doc = "README"
#: Headings down to this level can be linked to, by GitHub's rule.
myst_heading_anchors = 4
#: The part of the contents that also has every other page beside README.
PROJECT = "Project"
#: The site's contents: a page that is in none of these is an error.
CONTENTS = {
    "Start": ["docs/README", "docs/tutorials/laptop", "docs/tutorials/kind", "docs/tutorials/cluster"],
    "Guides": [
        "docs/guides/airflow-in-ten-minutes",
        "docs/guides/coming-from-airflow",
        "examples/README",
        "docs/guides/images",
        "docs/bundles",
        "docs/guides/dag-processor",
        "docs/guides/kubernetes",
        "docs/guides/state-and-assets",
        "docs/laptop",
        "docs/guides/multi-tenancy",
        "docs/guides/secrets",
        "docs/guides/security",
        "docs/guides/operations",
        "docs/guides/object-storage",
        "docs/logs",
        "docs/rotation",
        "docs/guides/troubleshooting",
    ],
    "Reference": [
        "docs/reference/taskrun",
        "docs/reference/chart-values",
        "docs/reference/settings",
        "docs/reference/command-line",
        "docs/reference/execution-api",
        "docs/reference/airflow-examples",
        "docs/reference/metrics",
        "docs/failures",
        "docs/messages",
        "docs/benchmarks",
        "docs/glossary",
    ],
    PROJECT: ["CHANGELOG", "SECURITY", "CONTRIBUTING", "ARCHITECTURE", "docs/releasing", "docs/adr/*"],
}


def setup(app: Any) -> None:
    """Adds the contents to the first page: GitHub, which shows the same file, would print them as code."""
    app.connect("source-read", _add_contents)


def _add_contents(app: Any, page: str, source: list[str]) -> None:
    if page != root_doc:
        return
    listed_pages = {each for pages in CONTENTS.values() for each in pages}
    beside = sorted(each for each in app.env.found_docs if "/" not in each and each not in {*listed_pages, root_doc})
    for caption, pages in CONTENTS.items():
        entries = "\n".join(pages + (beside if caption == PROJECT else []))
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n{entries}\n```\n"
