"""Which files may hold DAGs: ours beside Airflow's own search, over many .airflowignore files."""

import itertools
import json
import subprocess
from pathlib import Path

import pytest

from airlock_server.dag_processor.discovery.walk import Walker

DRIVER = Path(__file__).parent / "drivers" / "discover.py"
FILES = [
    "a.py", "b.py", "test_a.py", "a_old.py", "x/a.py", "x/b.py", "x/y/a.py", "x/y/z/b.py", "tests/a.py", "x/tests/b.py",
    "y/x/a.py", "[a].py", "a b.py", "x/!a.py",
]  # fmt: skip
GLOBS = [
    "a.py", "*.py", "a*", "x", "x/", "/x", "/x/", "x/*", "x/**", "**/a.py", "x/**/b.py", "**/tests/", "tests", "test_*",
    "[ab].py", "[!a].py", "?.py", "*_old.py", "x/y", "y/x", "/a.py", "\\[a\\].py", "a b.py", "x/a.py # a comment",
    "# a.py", "", "  ", "/", "*", "**", "x/*.py", "/*.py", "a.py/", "x//a.py",
]  # fmt: skip
#: Lines that bring files back, after each of a few that leave them out.
BACK = [
    f"{out}\n{back}"
    for out, back in itertools.product(
        ["*.py", "x/*", "a*", "**/b.py", "/x/y/"], ["!a.py", "!x/a.py", "!/a.py", "!x/", "!*", "!**/y/", "!x/y"]
    )
]
REGEXPS = ["a", "a.py", "^a", "x/", "^x/y", "tests?/", r"_old\.py$", "a|b", "[", "x/.*b", "a # comment", "", "# a"]


@pytest.fixture
def tree(tmp_path):
    for number, name in enumerate(FILES):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Every fifth lacks a word of a DAG file.
        path.write_text("import airflow" if number % 5 == 4 else "from airflow import DAG")
    return tmp_path


def ours(tree, case, syntax):
    for folder, text in case.items():
        (tree / folder / ".airflowignore").write_text(text)
    files = sorted(Walker(root=tree, syntax=syntax).find())
    for folder in case:
        (tree / folder / ".airflowignore").unlink()
    return files


@pytest.mark.parametrize(
    ("syntax", "cases"),
    [
        ("glob", [{"": glob} for glob in GLOBS + BACK]),
        ("glob", [{"x": glob} for glob in GLOBS + BACK]),
        ("glob", [{"": out, "x": back} for out, back in itertools.product(["*.py", "a.py", "y/"], ["!a.py", "!y/", "b.py"])]),
        ("regexp", [{"": pattern} for pattern in REGEXPS]),
        ("regexp", [{"x": pattern} for pattern in REGEXPS]),
    ],
    ids=["globs at the root", "globs in a folder", "globs in both", "regexps at the root", "regexps in a folder"],
)  # fmt: skip
def test_the_same_files_are_listed(airflow_python, airflow_env, tree, syntax, cases):
    done = subprocess.run(
        [airflow_python, DRIVER, tree], input=json.dumps({"syntax": syntax, "cases": cases}),
        env=airflow_env, capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    [line] = [line for line in done.stdout.splitlines() if line.startswith("LISTED ")]
    theirs = json.loads(line.removeprefix("LISTED "))

    listed = [ours(tree, case, syntax) for case in cases]

    assert len(cases) == len(theirs)
    assert [] == [
        (case, sorted(set(expected) - set(files)), sorted(set(files) - set(expected)))
        for case, expected, files in zip(cases, theirs, listed, strict=True)
        if expected != files
    ]
