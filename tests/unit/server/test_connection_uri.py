"""Connections written as URIs."""

import json

import pytest

from airlock_server.secrets.connection_uri import UriError, parse_uri


def test_every_part_is_read_and_unescaped():
    found = parse_uri("c", "google-cloud-platform://us%40er:p%2Fw@Host.Internal:99/sch%20ema?a=1&b=x%26y")
    assert ("google_cloud_platform", "us@er", "p/w") == (found.conn_type, found.login, found.password)
    assert ("Host.Internal", 99, "sch ema") == (found.host, found.port, found.schema)
    assert {"a": "1", "b": "x&y"} == json.loads(found.extra)


def test_the_least_uri_is_a_type_and_a_host():
    found = parse_uri("c", "http://example")
    assert ("http", "example", None, None, None) == (found.conn_type, found.host, found.port, found.login, found.extra)


def test_postgresql_is_airflows_postgres():
    assert "postgres" == parse_uri("c", "postgresql://h/db").conn_type


def test_an_extra_that_is_not_flat_comes_as_json():
    assert {"a": {"b": 1}} == json.loads(
        parse_uri("c", "aws://?__extra__=%7B%22a%22%3A%20%7B%22b%22%3A%201%7D%7D").extra
    )


@pytest.mark.parametrize(
    "uri", ["", "secret", "//u:secret@h", "x://u:secret@h:port/", "x://h/?__extra__=secret", "x://h/?__extra__=[1]"]
)
def test_what_is_no_uri_is_refused_without_being_shown(uri):
    with pytest.raises(UriError) as refused:
        parse_uri("c", uri)
    assert "secret" not in str(refused.value)
