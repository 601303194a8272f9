"""Paths, versions and the bearer token."""

import pytest

from airlock_server.api.execution.access import bearer
from airlock_server.api.execution.routes import ROUTES
from airlock_server.api.execution.routing import Router
from airlock_server.api.execution.versions import VERSIONS, version_for
from airlock_server.web.errors import InvalidRequest, Refused
from airlock_server.web.http import Request

ROUTER = Router(ROUTES)


def parts(raw_path):
    return Request({"method": "GET", "headers": [], "raw_path": raw_path}).parts


@pytest.mark.parametrize(
    ("method", "path", "pattern", "named"),
    [
        ("GET", b"/variables/keys", "/variables/keys", {}),
        ("GET", b"/variables/a/b%2Fc", "/variables/{variable_key:path}", {"variable_key": "a/b/c"}),
        ("GET", b"/variables/", "/variables/{variable_key:path}", {"variable_key": ""}),
        ("GET", b"/xcoms/d/r/t/k", None, {"dag_id": "d", "run_id": "r", "task_id": "t", "key": "k"}),
        ("GET", b"/xcoms/d%2Fe/r+1/t/k/l", None, {"dag_id": "d/e", "run_id": "r+1", "task_id": "t", "key": "k/l"}),
        ("GET", b"/xcoms/d/r/t/k/slice", "/xcoms/{dag_id}/{run_id}/{task_id}/{key:path}/slice", None),
        ("GET", b"/xcoms/d/r/t/k/l/item/-1", "/xcoms/{dag_id}/{run_id}/{task_id}/{key:path}/item/{offset}", None),
        ("POST", b"/xcoms/d/r/t/k/slice", "/xcoms/{dag_id}/{run_id}/{task_id}/{key:path}", {"key": "k/slice"}),
    ],
)
def test_a_path_finds_its_route(method, path, pattern, named):
    route, found = ROUTER.find(method, parts(path))
    assert pattern is None or route.pattern == pattern
    assert named is None or named.items() <= found.items()


@pytest.mark.parametrize("path", [b"/", b"/nothing", b"/health/", b"/variables", b"/task-instances/x", b"/xcoms/d/r/t"])
def test_any_other_path_is_not_found(path):
    with pytest.raises(Refused) as refused:
        ROUTER.find("GET", parts(path))
    assert 404 == refused.value.status


def test_the_wrong_method_names_the_right_ones():
    with pytest.raises(Refused) as refused:
        ROUTER.find("POST", parts(b"/variables/k"))
    assert (405, ((b"allow", b"DELETE, GET, PUT"),)) == (refused.value.status, refused.value.headers)


@pytest.mark.parametrize("header", [None, b"2026-06-30", b"2026-07-01", b"2999-01-01"])
def test_a_date_gets_the_newest_version_that_is_not_newer(header):
    assert version_for(header) == VERSIONS[-1]


def test_a_date_before_the_oldest_version_is_not_found():
    with pytest.raises(Refused) as refused:
        version_for(b"2025-11-04")
    assert 404 == refused.value.status


@pytest.mark.parametrize("header", [b"", b"new", b"2026-13-01", b"20260630", b"2026-06-30T00:00:00", b"\xff"])
def test_what_is_no_date_is_refused(header):
    with pytest.raises(InvalidRequest):
        version_for(header)


@pytest.mark.parametrize(
    ("header", "token"),
    [(b"Bearer abc", "abc"), (b"bearer abc", "abc"), (b"Basic abc", None), (b"Bearer ", None), (b"", None)],
)
def test_only_a_bearer_token_counts(header, token):
    assert bearer({b"authorization": header}) == token
