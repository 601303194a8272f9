"""The table of tiers: whole, in order, and each test in one of them."""

from pathlib import Path

import pytest

from tiers import table
from tiers.needs import exported
from tiers.results import Ended, Result, exit_code, may_run_again, summary
from tiers.table import PYTEST, TIERS, UnknownTier, chosen, stages

ROOT = Path(__file__).resolve().parents[3]


def test_names_are_told_apart_and_a_stage_with_something_behind_has_something_in_front():
    assert len({tier.name for tier in (*TIERS, *table.SOAK)}) == len(TIERS) + len(table.SOAK)
    for stage in stages(TIERS):
        assert [] == [tier.name for tier in stage if tier.behind] or any(not tier.behind for tier in stage)


def test_a_warm_run_keeps_to_its_minutes():
    """CI has 45 minutes. A stage takes as long as its tiers in front, or as the longest one behind."""
    total = 0.0
    for stage in stages(TIERS):
        front = sum(tier.minutes for tier in stage if not tier.behind)
        total += max([front, *(tier.minutes for tier in stage if tier.behind)])

    assert total <= 45


def _files(tier):
    words = tier.command[len(PYTEST) :]
    folders = [word for word in words if word.startswith("tests/")]
    without = [word.partition("=")[2] for word in words if word.startswith("--ignore=")]
    found = {path for folder in folders for path in (ROOT / folder).rglob("test_*.py")}
    return {path for path in found if not any(path.is_relative_to(ROOT / each) for each in without)}


def test_every_file_of_tests_is_in_a_tier_and_in_two_only_where_marks_divide_it():
    tested = [(tier, _files(tier)) for tier in TIERS if tier.tests]

    assert set((ROOT / "tests").rglob("test_*.py")) == set().union(*(files for _, files in tested))
    for at, (tier, files) in enumerate(tested):
        for other, others in tested[at + 1 :]:
            assert not files & others or ("-m" in tier.command and "-m" in other.command)


def test_every_command_is_there():
    for tier in (*TIERS, *table.SOAK):
        word = tier.command[0]
        assert word in ("make", PYTEST[0]) or (ROOT / word).exists()


def test_a_word_names_a_group_or_a_tier():
    assert TIERS == chosen([]) == chosen(["all"])
    assert ["unit", "demo"] == [tier.name for tier in chosen(["demo", "unit"])]
    assert "api, e2e" in [tier.name for tier in chosen(["e2e"])]
    with pytest.raises(UnknownTier, match="no tier is called 'e3e'; there are all, e2e"):
        chosen(["e3e"])


@pytest.mark.parametrize(("count", "again"), [(0, False), (1, True), (5, True), (6, False)])
def test_a_few_failed_tests_are_run_again_and_many_are_not(count, again):
    assert again == may_run_again(["t"] * count)


@pytest.mark.parametrize(
    ("ended", "complete", "code"),
    [
        (Ended.PASSED, True, 0),
        (Ended.FLAKY, True, 0),
        (Ended.FAILED, False, 1),
        (Ended.ABSENT, False, 0),
        (Ended.ABSENT, True, 1),
    ],
)
def test_a_tier_that_did_not_run_fails_a_run_that_must_be_complete(ended, complete, code):
    assert code == exit_code([Result("t", Ended.PASSED), Result("x", ended)], complete=complete)
    assert ("FAILED: x" in summary([Result("x", ended)], complete=complete)) == bool(code)


def test_the_summary_has_the_minutes_of_each_tier_and_names_flaky_tests():
    text = summary([Result("unit", Ended.FLAKY, 1.25, 1.0, flaky=("tests/x.py::y",))], complete=False)

    assert ["unit    1.2 min  (about 1)  passed, flaky", "FLAKY tests/x.py::y"] == text.splitlines()[:2]


def test_the_line_of_make_up_becomes_an_environment():
    line = 'export KUBECONFIG=/run/x/kubeconfig PATH=/run/x/tools:"$PATH"\n'

    assert {"KUBECONFIG": "/run/x/kubeconfig", "PATH": "/run/x/tools:/bin"} == exported(line, "/bin")
    with pytest.raises(ValueError, match="no line to evaluate"):
        exported("", "/bin")
