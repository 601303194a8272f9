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


@pytest.mark.parametrize("key", ["short", "not base64!", base64.b64encode(b"q" * 31).decode()])
def test_a_key_that_is_none_is_refused_without_being_shown(key):
    with pytest.raises(SettingsError) as refused:
        Encryption.from_setting(key)
    assert key not in str(refused.value)
