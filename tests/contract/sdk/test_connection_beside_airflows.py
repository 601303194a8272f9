"""Connections as URIs, as JSON and as records: ours and Airflow's."""

import pytest

pytestmark = pytest.mark.slow

URIS = [
    "postgres://user:pass@host:5432/db",
    "postgresql://host/db",
    "google-cloud-platform://?key=value&other=1",
    "http://https://host.example:8080/path",
    "http://user:p%40ss%2Fword@HOST.Example/some%2Fschema?__extra__=%7B%22a%22%3A+%7B%22b%22%3A+1%7D%7D",
    "fs://",
    "fs:///",
    "x://@:1234",
    "x://login@",
    "x://:password@host",
    "x://login:@host",
    "sqlite://%2Ftmp%2FSome%2FFile.db",
    "sqlite://user@%2Ftmp%2FFile.db:80/s",
    "aws://?region_name=eu-west-1&empty=",
    "ssh://[::1]:22",
    "my-type://h/s?x=%C3%A9",
    "spark://k8s://https%3A%2F%2Fhost:443",
    "a://b://c://d",
    "a://u@b://c",
    "x://host:notaport",
    "x://host:99999999",
    "ssh://h/?x=1&x=2",
]
TEXTS = [
    '{"conn_type": "postgresql", "host": "h", "port": "5432", "extra": {"a": 1}}',
    '{"conn_type": "my-type", "login": "l", "password": "p", "schema": "s", "extra": "{\\"a\\": 1}", "description": "d"}',
    '{"host": "h", "port": "x"}',
    '{"nonsense": 1}',
    "[]",
    "{",
]
RECORDS = [
    "conn_id='c', conn_type='x'",
    "conn_id='c'",
    "conn_id='c', conn_type='http', host='https://h', login='l', password='p w', schema='s/t', port=1, extra='{\"a\": \"b\"}'",
    "conn_id='c', conn_type='http', host='http://h', extra='{\"a\": {\"b\": [1, null]}}', description='d'",
    "conn_id='c', conn_type='x', port=5",
    "conn_id='c', conn_type='x', extra='{}'",
    "conn_id='c', conn_type='x', login='', password=''",
    "conn_id='c', uri='x://h:1/s'",
]
FIELDS = ["conn_id", "conn_type", "description", "host", "schema", "login", "password", "port", "extra"]
SHAPE = f"\nFIELDS = {FIELDS!r}\ndef shape(c): return [getattr(c, name) for name in FIELDS]\n"
CASES = {
    **{f"uri {uri}": f"shape(Connection.from_uri({uri!r}, conn_id='c'))" for uri in URIS},
    **{f"there and back {uri}": f"Connection(conn_id='c', uri={uri!r}).get_uri()" for uri in URIS},
    **{f"json {text}": f"shape(Connection.from_json({text!r}, conn_id='c'))" for text in TEXTS},
    **{f"record {record}": f"shape(Connection({record}))" for record in RECORDS},
    **{f"uri of {record}": f"Connection({record}).get_uri()" for record in RECORDS},
    **{f"json of {record}": f"Connection({record}).as_json()" for record in RECORDS},
    **{f"dict of {record}": f"Connection({record}).to_dict()" for record in RECORDS},
    **{f"pruned dict of {record}": f"Connection({record}).to_dict(prune_empty=True)" for record in RECORDS},
    "both a URI and fields": "Connection(conn_id='c', uri='x://', host='h')",
    "a field that does not exist": "Connection(conn_id='c', hosts='h')",
    "equal ones": "Connection(conn_id='c', host='h') == Connection(conn_id='c', host='h')",
    "others": "Connection(conn_id='c', host='h') == Connection(conn_id='c', host='i')",
}


@pytest.fixture(scope="module")
def answers(beside):
    rows = [
        [f"from airflow.sdk import Connection{SHAPE}", f"from airlock.sdk import Connection{SHAPE}", expression]
        for expression in CASES.values()
    ]
    return dict(zip(CASES, beside(cases=rows)["cases"], strict=True))


@pytest.mark.parametrize("name", CASES)
def test_a_connection_is_read_and_written_as_airflow_does(answers, name):
    theirs, ours = answers[name]

    assert ("value" in theirs, theirs.get("value")) == ("value" in ours, ours.get("value")), (theirs, ours)
