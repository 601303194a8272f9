"""Secrets at rest."""

import base64

import pytest

from airlock_server.keys.encryption import Encryption, Undecryptable
from airlock_wire.process.settings import SettingsError

PLACE = "connection/db/password"


@pytest.fixture
def encryption():
    return Encryption(b"s" * 64)


@pytest.mark.parametrize("value", ["", "p@ss", "ünï\x00", "x" * 100_000])
def test_what_was_encrypted_is_decrypted(encryption, value):
    assert encryption.decrypt(encryption.encrypt(value, PLACE), PLACE) == value


def test_the_same_value_never_looks_the_same(encryption):
    assert encryption.encrypt("p@ss", PLACE) != encryption.encrypt("p@ss", PLACE)
    assert b"p@ss" not in encryption.encrypt("p@ss", PLACE)


def test_a_value_that_was_moved_to_another_place_does_not_open(encryption):
    with pytest.raises(Undecryptable, match="variable/x/value"):
        encryption.decrypt(encryption.encrypt("p@ss", PLACE), "variable/x/value")


def test_another_key_opens_nothing(encryption):
    with pytest.raises(Undecryptable, match="key is not the one"):
        Encryption(b"t" * 64).decrypt(encryption.encrypt("p@ss", PLACE), PLACE)


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_damaged_value_does_not_open(encryption, at):
    stored = bytearray(encryption.encrypt("p@ss", PLACE))
    stored[at] ^= 1
    with pytest.raises(Undecryptable):
        encryption.decrypt(bytes(stored), PLACE)


def test_a_key_from_the_settings_is_used():
    key = base64.urlsafe_b64encode(b"q" * 32).decode()
    one, two = Encryption.from_setting(key), Encryption.from_setting(key)
    assert "p@ss" == two.decrypt(one.encrypt("p@ss", PLACE), PLACE)


def test_the_first_key_encrypts_and_all_decrypt():
    old, both, new = Encryption(b"o" * 64), Encryption(b"n" * 64, b"o" * 64), Encryption(b"n" * 64)
    stored = old.encrypt("p@ss", PLACE)

    assert "p@ss" == both.decrypt(stored, PLACE)
    assert "p@ss" == new.decrypt(both.encrypt("p@ss", PLACE), PLACE)
    assert [False, True] == [both.is_under_first(each, PLACE) for each in (stored, new.encrypt("p@ss", PLACE))]
    with pytest.raises(Undecryptable):
        new.decrypt(stored, PLACE)


def test_keys_from_the_settings_are_a_list_with_commas():
    old, new = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"o", b"n"))
    stored = Encryption.from_setting(old).encrypt("p@ss", PLACE)

    assert "p@ss" == Encryption.from_setting(f"{new}, {old}").decrypt(stored, PLACE)


def test_changed_keys_are_taken_up_before_a_value_is_encrypted_and_when_none_opens_one():
    keys = [None]
    running = Encryption(b"o" * 64, reread=lambda: keys.pop() if keys else None)
    assert "p@ss" == running.decrypt(running.encrypt("p@ss", PLACE), PLACE)
    keys.append([b"n" * 64, b"o" * 64])
    assert "p@ss" == running.decrypt(Encryption(b"n" * 64).encrypt("p@ss", PLACE), PLACE)
    keys.append([b"m" * 64, b"n" * 64])
    assert Encryption(b"m" * 64).is_under_first(running.encrypt("p@ss", PLACE), PLACE)


@pytest.mark.parametrize("key", ["short", "not base64!", base64.b64encode(b"q" * 31).decode()])
def test_a_key_that_is_none_is_refused_without_being_shown(key):
    with pytest.raises(SettingsError) as refused:
        Encryption.from_setting(key)
    assert key not in str(refused.value)
