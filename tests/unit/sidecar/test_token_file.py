"""A token in a file: which of several threads waits for another, and for how long."""

import threading
from types import SimpleNamespace

import pytest

from airlock_sidecar import errors
from airlock_sidecar.upstream.token import MAX_TOKEN_BYTES, Token, read_file
from airlock_sidecar.upstream.token_file import TokenFile


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "token"
    made.write_text("one")
    return made


class Kept:
    """A token file begun, with what it said and what a restart would find."""

    def __init__(self, file, *, wait_seconds=0.0, remembered=""):
        self.said = []
        self.memory = SimpleNamespace(token=remembered)
        self.token = Token(remembered, lambda value: setattr(self.memory, "token", value))
        launch = SimpleNamespace(memory=self.memory)
        self.file = TokenFile(str(file), launch, self.token, self.said.append, wait_seconds=wait_seconds)
        self.file.begin()

    def renew(self, refused, *, gone=False):
        until = threading.Event()
        if gone:
            until.set()
        self.file.renew(refused, until)


def test_the_first_token_is_the_files_and_kept_for_a_restart(file):
    kept = Kept(file)

    assert ("Bearer one", "one", 1) == (kept.token.header(), kept.memory.token, kept.file.generation)


def test_a_restart_goes_on_with_what_was_kept(file):
    assert "Bearer running" == Kept(file, remembered="running").token.header()


def test_whoever_was_refused_with_an_older_token_takes_the_present_one(file):
    kept = Kept(file)
    kept.renew(0)

    assert ("Bearer one", [], 1) == (kept.token.header(), kept.said, kept.file.generation)


def test_another_token_is_taken_at_once(file):
    kept = Kept(file)
    file.write_text("two")
    kept.renew(1)

    assert ("Bearer two", 2) == (kept.token.header(), kept.file.generation)


def test_the_files_old_token_is_no_other_than_the_servers_successor_of_it(file):
    kept = Kept(file)
    kept.token.swap("refreshed")

    with pytest.raises(errors.Denied) as denied:
        kept.renew(1)
    assert denied.value.of_token


def test_a_wait_that_passed_is_not_begun_again_for_the_same_token(file):
    kept = Kept(file)
    for _ in range(3):
        with pytest.raises(errors.Denied):
            kept.renew(1)
    assert 1 == len(kept.said)

    file.write_text("late")
    kept.renew(1)
    assert "Bearer late" == kept.token.header()


def test_nobody_waits_for_a_launch_that_is_gone(file):
    with pytest.raises(errors.GaveUp):
        Kept(file, wait_seconds=60).renew(1, gone=True)


@pytest.mark.parametrize("text", ["", " \n", "x" * (MAX_TOKEN_BYTES + 1), "a\x00b"])
def test_what_is_no_token_is_none(file, text):
    file.write_text(text)
    with pytest.raises(ValueError, match="holds no token"):
        read_file(str(file))
    kept = Kept(file)

    assert (0, 1) == (kept.file.generation, len(kept.said))


def test_no_token_is_ever_said(file):
    kept = Kept(file)
    with pytest.raises(errors.Denied) as denied:
        kept.renew(1)

    assert "one" not in str(denied.value).split()
    assert not any("one" in line.split() for line in kept.said)
