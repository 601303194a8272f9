"""``.airflowignore``: what a line leaves out. The tables are git's rules, as Airflow reads them."""

import pytest

from airlock_server.dag_processor.discovery.ignore import ignored, read


def left_out(text, path, folder="", syntax="glob"):
    """Whether the rules of one file leave out a path; a slash at its end makes it a folder."""
    rules, problems = read(text, folder, syntax)
    assert [] == problems
    return ignored(path.rstrip("/"), rules, is_folder=path.endswith("/"))


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a.py", "a.py", True),
        ("a.py", "x/a.py", True),
        ("a.py", "xa.py", False),
        ("a.py", "aXpy", False),
        ("*.py", "x/a.py", True),
        ("a*", "abc/", True),
        ("a?c.py", "abc.py", True),
        ("a?c.py", "ac.py", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("[^ab].py", "c.py", True),
        ("[a-c].py", "b.py", True),
        ("[]a].py", "].py", True),
        ("a[b.py", "a[b.py", True),
        # A slash at the start or in the middle ties the pattern to the file's own folder.
        ("/a.py", "a.py", True),
        ("/a.py", "x/a.py", False),
        ("x/a.py", "x/a.py", True),
        ("x/a.py", "y/x/a.py", False),
        # A slash at the end: folders alone.
        ("x/", "x/", True),
        ("x/", "x", False),
        ("x/", "y/x/", True),
        ("/x/", "y/x/", False),
        ("**/a.py", "a.py", True),
        ("**/a.py", "x/y/a.py", True),
        ("x/**", "x/", False),
        ("x/**", "x/y/a.py", True),
        ("x/**/a.py", "x/a.py", True),
        ("x/**/a.py", "x/y/z/a.py", True),
        ("x/*.py", "x/y/a.py", False),
        # The last line that matches decides.
        ("*.py\n!a.py", "a.py", False),
        ("!a.py\n*.py", "a.py", True),
        ("x/*\n!x/a.py", "x/a.py", False),
        ("x/*\n!x/a.py", "x/b.py", True),
        # As in Airflow, and not as in git.
        ("*.py\n!x/y", "x/y/z/a.py", False),
        ("*.py\n!x/", "x/a.py", True),
        ("/", "x/", False),
        ("", "a.py", False),
        ("# a.py", "a.py", False),
        ("a.py # a comment", "a.py", True),
        ("a.py   ", "a.py", True),
        (r"a\ ", "a ", True),
        (r"\*.py", "a.py", False),
        (r"\*.py", "*.py", True),
        (r"\!a.py", "!a.py", True),
        ("a.b+", "aXbb", False),
    ],
)  # fmt: skip
def test_a_glob_leaves_out_what_git_would(text, path, expected):
    assert expected is left_out(text, path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [("a.py", "sub/a.py", True), ("/a.py", "sub/a.py", True), ("/a.py", "sub/x/a.py", False), ("x/a.py", "sub/x/a.py", True)],
)  # fmt: skip
def test_a_glob_is_tied_to_the_folder_of_its_file(text, path, expected):
    assert expected is left_out(text, path, folder="sub")


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a.py", "x/a.py", True),
        ("a.py", "xaXpyz", True),
        ("^x/", "x/a.py", True),
        ("^a", "x/a.py", False),
        ("tests?/", "test/a.py", True),
        ("a # comment", "a.py", True),
    ],
)  # fmt: skip
def test_a_regular_expression_is_looked_for_anywhere_in_the_path(text, path, expected):
    assert expected is left_out(text, path, folder="sub", syntax="regexp")


def test_a_line_that_is_no_pattern_is_passed_over_with_a_word():
    rules, problems = read("a(b\nc", "", "regexp")

    assert (1, 1) == (len(rules), len(problems))
    assert "'a(b' is not a pattern" in problems[0]
