"""A run of tiers with real commands: what fails, what is flaky, what hangs, and that nothing outlives it."""

import signal
import time

import pytest

from tiers import run as runs
from tiers.needs import Needs
from tiers.results import Ended
from tiers.table import PYTEST, Need, Tier

FLAKY = """
import pathlib
def test_now_and_then():
    mark = pathlib.Path(__file__).with_name("seen")
    seen = mark.exists()
    mark.touch()
    assert seen, "the first time"
def test_always(): pass
"""


@pytest.fixture
def tier(tmp_path, monkeypatch):
    """A tier of one file of tests."""
    monkeypatch.setattr(runs, "_CACHES", tmp_path / "caches")

    def make(text, **more):
        file = tmp_path / "test_it.py"
        file.write_text(text)
        return Tier("it", 1, (*PYTEST, str(file)), 0.1, **more)

    return make


def test_a_test_that_passes_the_second_time_is_flaky_and_named(tier, capfd):
    (result,) = runs.run((tier(FLAKY),), Needs())

    assert Ended.FLAKY is result.ended
    assert ["test_now_and_then"] == [name.rpartition("::")[2] for name in result.flaky]
    assert "the first time" in capfd.readouterr().out


def test_a_test_that_fails_twice_has_failed(tier):
    assert Ended.FAILED is runs.run((tier("def test_it(): assert False"),), Needs())[0].ended


def test_a_file_that_cannot_be_imported_has_failed(tier):
    assert Ended.FAILED is runs.run((tier("import nosuchmodule"),), Needs())[0].ended


def test_no_test_at_all_is_a_failure(tier):
    assert Ended.FAILED is runs.run((tier("x = 1"),), Needs())[0].ended


def test_what_runs_behind_is_shown_after_what_runs_in_front(tier, capfd):
    front = Tier("front", 1, ("sh", "-c", "sleep 0.3; echo in front"), 0.1)
    behind = Tier("behind", 1, ("sh", "-c", "echo behind"), 0.1, behind=True)
    results = runs.run((front, behind), Needs())
    out = capfd.readouterr().out

    assert [Ended.PASSED] * 2 == [result.ended for result in results]
    assert out.index("in front") < out.rindex("behind")


def test_a_tier_that_lacks_what_it_needs_does_not_run_and_says_why(monkeypatch):
    monkeypatch.setattr(Needs, "_root", lambda _: "only root can")
    (result,) = runs.run((Tier("x", 1, ("false",), 0.1, needs=(Need.ROOT,)),), Needs())

    assert (Ended.ABSENT, "only root can") == (result.ended, result.why)


@pytest.mark.parametrize(
    "inherited", [signal.default_int_handler, signal.SIG_IGN], ids=["in front", "in the background"]
)
def test_an_interrupted_run_ends_what_it_started(monkeypatch, tmp_path, inherited):
    """
    What is behind is told to stop as Ctrl-C tells it, and so are its own children. A shell that starts the run in its
    background has Ctrl-C ignored there, and what a shell finds ignored it cannot take.
    """
    signal.signal(signal.SIGINT, inherited)
    mark = tmp_path / "stopped"
    behind = Tier("behind", 1, ("bash", "-c", f"trap 'touch {mark}; exit' INT; sleep 60 & wait"), 0.1, behind=True)

    def interrupt(*_args, **_more):
        time.sleep(0.5)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "_finish", interrupt)
    with pytest.raises(KeyboardInterrupt):
        runs.run((behind, Tier("front", 1, ("true",), 0.1)), Needs())

    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert mark.exists()


def test_a_command_that_hangs_is_ended():
    job = runs.Job(["sleep", "60"], env={}, quiet=True)

    assert 124 == job.wait(0.005)
    assert b"" == job.output()
