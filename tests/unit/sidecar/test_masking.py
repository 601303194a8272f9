"""What is masked, in which spellings, and what is not."""

import json
from urllib.parse import quote

import pytest

from airlock_sidecar.logs import masking
from airlock_sidecar.logs.masking import Masker, looks_sensitive, secrets_in, secrets_of_connection


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD", "api-key", "API.KEY", " Secret ", "my_token", "Authorization"]
)
def test_a_name_that_says_secret_is_sensitive(name):
    assert looks_sensitive(name)


@pytest.mark.parametrize("name", ["host", "path", "", "keys", "pass"])
def test_a_name_that_does_not_is_not(name):
    assert not looks_sensitive(name)


@pytest.mark.parametrize(
    ("value", "name", "found"),
    [
        ("hunter2", None, ["hunter2"]),
        ("four", None, []),
        ("airflow", None, []),
        ("hunter2", "host", []),
        ("hunter2", "password", ["hunter2"]),
        ({"password": "hunter2", "host": "example"}, None, ["hunter2"]),
        ({"password": {"a": "hunter2", "b": ["hunter3"]}}, None, ["hunter2", "hunter3"]),
        (["hunter2", {"token": "hunter3"}], None, ["hunter2", "hunter3"]),
        (12345678, "password", ["12345678"]),
        (True, "password", []),
        ({"password": {"pin": 123456}, "a": 123456}, None, ["123456"]),
        ('{"primary": "hunter2"}', "db_secret", ['{"primary": "hunter2"}', "hunter2"]),
        ('{"password": "hunter2", "host": "example"}', "config", ["hunter2"]),
        ('{"a": "{\\"token\\": [\\"hunter2\\"]}"}', "config", ["hunter2"]),
        ('["hunter2"]', "config", []),
        ('{"api_key": "hunter2", "mode": "visible"}', None, ['{"api_key": "hunter2", "mode": "visible"}', "hunter2"]),
        ('["hunter2", {"mode": "visible"}]', None, ['["hunter2", {"mode": "visible"}]', "hunter2"]),
        ('{"any": "hunter2"}', "password", ['{"any": "hunter2"}', "hunter2"]),
        ("postgres://me:hunt%40er2@host/db", "dsn", ["postgres://me:hunt%40er2@host/db", "hunt%40er2", "hunt@er2"]),
        ("hunter2\n", "password", ["hunter2\n", "hunter2"]),
        ({"token": b"hunter2"}, None, ["hunter2"]),
    ],
)
def test_the_secrets_in_a_value(value, name, found):
    assert found == secrets_in(value, name)


def test_a_connection_hides_its_password_and_extra_and_the_extras_secrets():
    extra = json.dumps({"token": "abcdefg", "region": "europe"})

    assert ["hunter2", extra, "abcdefg"] == secrets_of_connection("hunter2", extra)
    assert ["hunter2", "{no json"] == secrets_of_connection("hunter2", "{no json")
    assert [] == secrets_of_connection(None, None)


@pytest.mark.parametrize("secret", ["hunter2", 'quo"te\\back', "päss wörd/€", "new\nline-two", "tab\tbed", "a.b*c+?"])
@pytest.mark.parametrize("spell", [str, lambda s: repr(s)[1:-1], lambda s: json.dumps(s)[1:-1], quote])
def test_a_secret_is_masked_in_each_spelling(secret, spell):
    masked = Masker([secret]).mask(f"<{spell(secret)}>")

    assert "<***>" == masked


def test_the_lines_of_a_secret_are_masked_one_by_one():
    masker = Masker(secrets_in("-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----"))

    assert ["***", "***"] == [masker.mask("abcdefgh"), masker.mask("-----END KEY-----")]


def test_a_secret_that_begins_with_another_is_masked_whole():
    assert "***" == Masker(["hunter", "hunter2-long"]).mask("hunter2-long")


def test_masks_reach_into_values_and_keys():
    assert {"***": ["***", 1, None]} == Masker(["hunter2"]).mask_value({"hunter2": ["hunter2", 1, None]})


def test_adding_says_what_is_new():
    masker = Masker(["hunter2"])

    assert ["hunter3"] == masker.add(["hunter2", "hunter3", "hunter3"])


def test_a_number_that_is_a_secret_is_masked_as_one():
    assert {"pin": "***", "n": 12} == Masker(["12345678"]).mask_value({"pin": 12345678, "n": 12})


def test_no_text_makes_the_search_slow():
    """Each takes some milliseconds; a search that tried every place of a long run would take minutes."""
    masker = Masker(["\\" * 20 + "abc", 'x\\"\\"\\"y', '"\\' * 10, "\n\n\n\n\n\n"])
    for text in ("\\" * 65536, "x" + "\\" * 65535, '"\\' * 32768, 'x\\"' * 20000, "\\n" * 30000):
        assert "*" not in masker.mask(text)[:5] or "***" in masker.mask(text)


def test_too_many_secrets_are_refused_whole():
    masker = Masker(["hunter2"])
    with pytest.raises(ValueError, match="characters of secrets"):
        masker.add(["first-one", "x" * masking.MAX_MASKS_CHARS])

    assert "first-one" == masker.mask("first-one")
