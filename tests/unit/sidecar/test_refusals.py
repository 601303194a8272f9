import json

import pytest

from airlock_sidecar import errors
from airlock_sidecar.requests import refusals
from airlock_sidecar.upstream.api import Answer

PROBLEM = {"loc": ["query", "n"], "msg": "no number", "type": "int_parsing", "input": "x"}


def told(status, body):
    """The word and the detail of the error that an answer becomes."""
    answer = refusals.raised(Answer(status, body).error())
    return answer.error.value, answer.detail


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": {"reason": "not_found", "message": "there is none"}}, "Server returned error"),
        ({"detail": "there is none", "more": 1}, "there is none"),
        ({"detail": ""}, "Un-parseable error"),
        ({"detail": [PROBLEM]}, "Remote server returned validation error"),
        ({"detail": [PROBLEM, "another"]}, "Server returned error"),
        ({"detail": None}, "Server returned error"),
        ({"message": "no detail"}, "Server returned error"),
        ([1, 2], "Server returned error"),
        ("text", "Server returned error"),
        (None, "Server returned error"),
    ],
)
def test_a_json_answer_is_told_whole(body, message):
    assert ("API_SERVER_ERROR", {"status_code": 422, "message": message, "detail": body}) == told(
        422, json.dumps(body).encode()
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "Client error '404 Not Found'"),
        (403, "Client error '403 Forbidden'"),
        (502, "Server error '502 Bad Gateway'"),
        (599, "Server error '599 '"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 5000])
def test_an_answer_that_is_no_json_is_a_failure_of_http(status, message, body):
    detail = {"status_code": None, "message": message, "exception_type": "HTTPStatusError"}

    assert ("API_SERVER_ERROR", detail) == told(status, body)


@pytest.mark.parametrize("status", [401, 403])
def test_a_denial_of_the_server_is_called_one(status):
    assert "PERMISSION_DENIED" == told(status, b'{"detail": "no"}')[0]


@pytest.mark.parametrize("body", [b'{"detail": "no"}', b"<html>"])
def test_a_denial_of_what_is_looked_up_keeps_its_status(body):
    answer = refusals.denied(Answer(403, body).error(), {"key": "k"})

    assert ("PERMISSION_DENIED", "k", 403) == (answer.error, answer.detail["key"], answer.detail["status_code"])


def test_a_missing_grant_is_told_as_a_server_would():
    answer = refusals.denied(errors.NotGranted("it needs a grant", "variables", "k"), {"key": "k"})
    detail = {"reason": "access_denied", "message": "it needs a grant", "missing": {"variables": "k"}}

    assert {
        "key": "k",
        "status_code": 403,
        "message": "it needs a grant",
        "detail": {"detail": detail},
    } == answer.detail
