"""What can be checked of plain English: docstrings, comments, and documents. CONTRIBUTING.md has the rules."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Our own code. A new folder of code is added here.
FOLDERS = ["sdk", "runner", "wire", "sidecar", "operator", "server", "executor", "tools", "scripts", "bench", "images"]
PYTHON = sorted(
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "migrations/versions" not in str(path)
)
#: A test's own texts are data, so only its docstrings and comments are read. This file shows the idiom.
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.name != "test_prose.py")
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]

#: "X is no Y" and "X is none": say "is not a Y", "is not one", "there is nothing". `not` is found at once, `no` is not.
IDIOM = re.compile(
    r"\b(?:[Ii]s|[Aa]re|[Ww]as|[Ww]ere|be|been) (?:none|no)\b"
    # These are comparisons.
    r"(?! longer\b| more\b| less\b| fewer\b| later\b| earlier\b| slower\b| faster\b| larger\b| smaller\b| better\b)"
)
#: A function's docstring begins with what it does. These words begin a description of what it gives, without a verb.
NO_VERB = re.compile(r"(?:The|A|An|Every|Each|All|Those|Its|What|Whether|How|Which|Why|Where|When|Who)\b")
#: "There is no X" is ordinary English.
ORDINARY = re.compile(r"\bthere (?:is|are|was|were) no\b", re.IGNORECASE)
MOST_COLUMNS = 120
#: Words of a sentence, or of a part of it that a colon or a semicolon ends.
MOST_WORDS = 25


def refused(text):
    """The places of a text that use the idiom, in a few words each."""
    flat = " ".join(text.split())
    ordinary = {match.end() for match in ORDINARY.finditer(flat)}
    return [flat[max(0, m.start() - 30) : m.end() + 30] for m in IDIOM.finditer(flat) if m.end() not in ordinary]


def docstrings(tree):
    """Each docstring of a module, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text


def comments(source):
    """Each block of comments that stand below one another, as one text, with its first line."""
    block, first, last = [], 0, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != last + 1 and block:
                yield first, " ".join(block)
                block = []
            if not block:
                first = token.start[0]
            block.append(token.string.lstrip("#: "))
            last = token.start[0]
    if block:
        yield first, " ".join(block)


def messages(tree):
    """Each text of two words or more that is in the code: what users and logs are told, for the most part."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_comments_and_messages_say_not(path):
    source = path.read_text()
    tree = ast.parse(source)
    texts = [*docstrings(tree), *comments(source), *messages(tree)]

    assert [] == sorted({f"{line}: {place}" for line, text in texts for place in refused(text)})


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_and_comments_of_tests_say_not(path):
    source = path.read_text()
    texts = [*docstrings(ast.parse(source)), *comments(source)]

    assert [] == [f"{line}: {place}" for line, text in texts for place in refused(text)]


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_line_of_a_docstring_fits_a_line(path):
    first = [(line, text.splitlines()[0]) for line, text in docstrings(ast.parse(path.read_text()))]

    assert [] == [f"{line}: {text}" for line, text in first if len(text) > MOST_COLUMNS]


def long_sentences(text):
    """The sentences of a text that are too long; lists and drawings are left out."""
    flowing = [part for part in text.split("\n\n") if not re.search(r"^\s*[*|+-]|^ {4}", part, re.MULTILINE)]
    parts = [each for part in flowing for each in re.split(r"(?<=[.!?:;])\s+", " ".join(part.split()))]
    return [each for each in parts if len(each.split()) > MOST_WORDS]


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_sentence_has_one_idea_and_at_most_25_words(path):
    source = path.read_text()
    texts = [*docstrings(ast.parse(source)), *comments(source)]

    assert [] == [f"{line}: {each}" for line, text in texts for each in long_sentences(text)]


def described(function):
    """Whether a function's docstring describes a value instead of an action; a property is a value."""
    names = {getattr(each, "attr", getattr(each, "id", "")) for each in function.decorator_list}
    text = ast.get_docstring(function)
    return bool(text and NO_VERB.match(text) and not names & {"property", "cached_property", "fixture"})


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_docstring_of_a_function_begins_with_a_verb(path):
    functions = [
        n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert [] == [f"{each.lineno}: {each.name}" for each in functions if described(each)]


# The pages of docs/reference have the sentences of what they are generated from.
@pytest.mark.parametrize(
    "path",
    [path for path in DOCUMENTS if path.parent.name != "reference"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_sentence_of_a_document_has_at_most_25_words(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL).replace("**", "")
    parts = re.split(r"\n\s*\n|\n(?=\s*[-*] |\d+\. |#)", text)
    sentences = [
        each
        for part in parts
        if not part.lstrip().startswith(("|", "#", "<!--"))
        for each in re.split(r"(?<=[.!?:;])\s+", " ".join(part.split()))
    ]

    assert [] == [each for each in sentences if len(each.split()) > MOST_WORDS]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_say_not(path):
    # An example that shows the idiom is code.
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL)

    assert [] == refused(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("this process is none", True),
        ("what follows is no\n JSON", True),
        ("Where that is none, stop.", True),
        ("There is no cluster.", False),
        ("there is none", True),
        ("It is no longer read.", False),
        ("there are no more than five", False),
        ("This is not a number.", False),
    ],
)
def test_the_check_itself_finds_the_idiom(text, found):
    assert found == bool(refused(text))
