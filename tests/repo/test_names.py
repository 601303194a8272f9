"""A variable is named by what it holds. CONTRIBUTING.md has the rule, under Taste."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Our own code, as in test_prose.py.
FOLDERS = ["sdk", "runner", "wire", "sidecar", "operator", "server", "executor", "tools", "scripts", "bench", "images"]
#: What was done to a value, or whose it is. Neither says what the value is.
VAGUE = frozenset({"asked", "found", "got", "made", "mine", "said", "told", "wanted"})


def names(tree):
    """Each name that a module gives to a value, with its line: variables, parameters, fields and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchMapping(rest=str(name)):
                yield node.lineno, name


def vague_names(tree):
    """The vague ones among these, with or without underscores around them."""
    return sorted((line, name) for line, name in names(tree) if name.strip("_") in VAGUE)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("found = 1", "found"),
        ("found: int = 1", "found"),
        ("a, (found, *b) = c", "found"),
        ("a, *found = c", "found"),
        ("if found := f(): pass", "found"),
        ("for found in a: pass", "found"),
        ("[a for found in a]", "found"),
        ("with f() as found: pass", "found"),
        ("def f(said): pass", "said"),
        ("def f(*, said=1): pass", "said"),
        ("def f(*said): pass", "said"),
        ("lambda told: 1", "told"),
        ("class A:\n told: int", "told"),
        ("self._made = 1", "_made"),
        ("mine_ = 1", "mine_"),
        ("match a:\n case B(c=wanted): pass", "wanted"),
        ("match a:\n case [*wanted]: pass", "wanted"),
        ("match a:\n case {**wanted}: pass", "wanted"),
        ("try: pass\nexcept A as asked: pass", "asked"),
    ],
)
def test_the_check_finds_a_vague_name(source, name):
    assert [name] == [vague for _, vague in vague_names(ast.parse(source))]


@pytest.mark.parametrize("source", ["found_docs = 1", "a = app.found", "f(found=1)", "def made(): pass", "a = 'found'"])
def test_the_check_lets_other_names_be(source):
    assert [] == vague_names(ast.parse(source))


def test_a_variable_is_named_by_what_it_holds():
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {name!r} does not say what it holds: take a noun (CONTRIBUTING.md, Taste)"
        for file in files
        for line, name in vague_names(ast.parse(file.read_bytes()))
    ]

    assert len(files) > 300
    assert [] == wrong, "\n".join(wrong)
