"""How pages are made from comments: what is read of a file of values, and what becomes of text and defaults."""

import pytest

from reference import markdown
from reference.chart_values import Value, read_values

VALUES = """\
# A comment of the file, which belongs to no value.

# What a is.
a:
  # One,
  # in two lines.
  one: 1
  two: []
  deep:
    # Three.
    three: {x: 1}
b: text
"""


def test_a_comment_belongs_to_the_value_below_it():
    assert [
        Value("a", ("What a is.",), group=True),
        Value("a.one", ("One,", "in two lines."), group=False),
        Value("a.two", (), group=False),
        Value("a.deep", (), group=True),
        Value("a.deep.three", ("Three.",), group=False),
        Value("b", (), group=False),
    ] == list(read_values(VALUES))


def test_a_comment_is_prose_outside_of_its_code():
    assert r"patterns of `a*` are \*, \<b>" == markdown.prose("patterns of ``a*``\n  are *, <b>")


@pytest.mark.parametrize(
    ("default", "shown"),
    [("", "*empty*"), ([], "*empty*"), ("4Gi", "`4Gi`"), (0, "`0`"), (False, "`false`"), (["a"], '`["a"]`')],
)
def test_a_default_is_shown_as_one_writes_it(default, shown):
    assert shown == markdown.value(default)


def test_a_bar_does_not_end_a_cell():
    assert "| a \\| b |" == markdown.table(("x",), [("a | b",)]).splitlines()[-1]
