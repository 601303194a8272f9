"""Connections written as URIs."""

import json

import pytest

from airlock_server.cli.connection_uri import UriError, parse_uri


def test_every_part_is_read_and_unescaped():
    found = parse_uri("c", "google-cloud-platform://us%40er:p%2Fw@Host.Internal:99/sch%20ema?a=1&b=x%26y")
    assert (found.conn_type, found.login, found.password) == ("google_cloud_platform", "us@er", "p/w")
    assert (found.host, found.port, found.schema) == ("Host.Internal", 99, "sch ema")
    assert json.loads(found.extra) == {"a": "1", "b": "x&y"}


def test_the_least_uri_is_a_type_and_a_host():
    found = parse_uri("c", "http://example")
    assert (found.conn_type, found.host, found.port, found.login, found.extra) == ("http", "example", None, None, None)


def test_postgresql_is_airflows_postgres():
    assert parse_uri("c", "postgresql://h/db").conn_type == "postgres"


def test_an_extra_that_is_not_flat_comes_as_json():
    assert json.loads(parse_uri("c", "aws://?__extra__=%7B%22a%22%3A%20%7B%22b%22%3A%201%7D%7D").extra) == {
        "a": {"b": 1}
    }


@pytest.mark.parametrize(
    "uri", ["", "secret", "//u:secret@h", "x://u:secret@h:port/", "x://h/?__extra__=secret", "x://h/?__extra__=[1]"]
)
def test_what_is_no_uri_is_refused_without_being_shown(uri):
    with pytest.raises(UriError) as refused:
        parse_uri("c", uri)
    assert "secret" not in str(refused.value)
