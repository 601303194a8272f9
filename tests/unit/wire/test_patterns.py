"""One language of patterns, for a TaskRun's access and for grants."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airlock_wire import patterns

_ALPHABET = "ab*?/\n"


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("etl_*", "etl_region", True),
        ("etl_*", "ETL_region", False),
        ("etl_?", "etl_1", True),
        ("etl_?", "etl_12", False),
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("a*b*c", "abbbc", True),
        ("a*b*c", "ac", False),
        ("ab*ba", "aba", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a.c", "abc", False),
        ("a*", "a\nb", True),
        ("dag/*", "dag/task", True),
    ],
)
def test_a_pattern_says_which_names_it_means(pattern, name, expected):
    assert expected is patterns.matches(pattern, name)


@given(st.text(_ALPHABET, max_size=8), st.text(_ALPHABET, max_size=12))
def test_it_is_the_globs_of_a_shell_without_their_brackets(pattern, name):
    assert fnmatch.fnmatchcase(name, pattern) is patterns.matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "prefix", "expected"),
    [("*", "", True), ("a*", "ab", True), ("a*", "", False), ("ab", "ab", False), ("a*b*", "ab", False)],
)
def test_a_listing_is_covered_where_every_name_of_its_prefix_is(pattern, prefix, expected):
    assert expected is patterns.covers_all_of(pattern, prefix)


def test_a_listing_that_is_covered_has_no_name_that_is_not_fitted():
    covered = [
        (pattern, prefix)
        for pattern in ("*", "a*", "?*", "a?*", "*a*")
        for prefix in ("", "a", "?", "a?", "ab")
        if patterns.covers_all_of(pattern, prefix)
    ]

    assert ("a?*", "a?") in covered
    assert [] == [pair for pair in covered for rest in ("", "x", "*") if not patterns.matches(pair[0], pair[1] + rest)]


@pytest.mark.timeout(20)
def test_no_name_makes_a_pattern_go_back():
    """It would take years: a name comes from user code, in a message of up to 16 MB."""
    assert not patterns.matches("*a" * 12 + "b", "a" * 200_000)
