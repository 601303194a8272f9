"""What holds for every route: versions, tokens, headers, bodies; over HTTP."""

import re
import time
import uuid

import httpx
import jwt
import pytest

from airlock_server.api.execution.routes import ROUTES
from airlock_server.settings import JwtSettings

#: Every route that a token opens, with a value for each part of its path.
PROTECTED = [
    (route.method, re.sub(r"{(?!task_instance_id)[a-z_:]+}", "0", route.pattern).replace("{task_instance_id}", "{ti}"))
    for route in ROUTES
    if route.scopes is not None
]


def with_token(token):
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_every_route_needs_a_token_that_opens_it(api, method, path):
    ti_id = str(uuid.uuid4())
    path = path.format(ti=ti_id)
    bare = api.http.request(method, path)
    assert 401 == bare.status_code
    assert method == "HEAD" or bare.json() == {"detail": "Missing auth token"}
    assert 403 == api.http.request(method, path, headers=with_token("nonsense")).status_code
    workload = api.http.request(method, path, headers=with_token(api.tokens.mint_workload(ti_id)))
    # A body is missing, so the one route that a workload token opens gets as far as that.
    assert workload.status_code == (422 if path.endswith("/run") else 403)
    lookup = api.http.request(method, path, headers=with_token(api.tokens.mint_lookup()))
    opens = method == "GET" and path.startswith(("/variables/", "/connections/"))
    assert lookup.status_code in ((200, 404) if opens else (403,))


@pytest.mark.parametrize(("method", "path"), [row for row in PROTECTED if "{ti}" in row[1]])
@pytest.mark.parametrize("mine", ["a53efd66-7c32-4a9d-b1bb-bd5bbaaa8173", "no-uuid", "%2e%2e"])
def test_a_task_instances_routes_are_its_own(api, method, path, mine):
    answer = api.http.request(method, path.format(ti=mine), headers=api.anyone, json={})
    assert 403 == answer.status_code
    assert "subject" in answer.json()["detail"]


@pytest.mark.parametrize("sub", [None, "", "me", 5])
def test_a_token_without_a_uuid_is_forbidden_and_not_an_error(api, sub):
    now = int(time.time())
    made = {"aud": JwtSettings().audience, "iat": now, "nbf": now, "exp": now + 600}
    token = jwt.encode(made if sub is None else made | {"sub": sub}, b"k" * 64, algorithm="HS512")
    assert 403 == api.http.get("/variables/keys", headers=with_token(token)).status_code


def test_health_is_open_to_anybody(api):
    assert {"status": "healthy"} == api.http.get("/health").json()
    assert {"ok": ["database"], "failing": {}} == api.http.get("/health/ping").json()


@pytest.mark.parametrize("age", [480, 599, 605])
def test_a_token_near_its_end_is_refreshed_whatever_the_answer(api, age):
    ti_id = api.running()
    old = with_token(api.tokens.mint_execution(ti_id, time.time() - age))
    for answer in (
        api.beat(ti_id, headers=old),
        api.beat(ti_id, pid=9, headers=old),
        api.http.get("/connections/absent", headers=old),
        api.http.get("/nothing/here", headers=old),
        api.http.get("/health", headers=old),
    ):
        fresh = api.tokens.verify(answer.headers["refreshed-api-token"])
        assert (fresh.sub, fresh.scope) == (ti_id, "execution")
        assert fresh.exp > time.time() + 500


def test_a_token_that_ended_is_refused_and_not_refreshed(api):
    ti_id = api.running()
    answer = api.beat(ti_id, headers=with_token(api.tokens.mint_execution(ti_id, time.time() - 700)))
    assert 403 == answer.status_code
    assert "refreshed-api-token" not in answer.headers


def test_a_young_token_is_not_refreshed(api):
    assert "refreshed-api-token" not in api.http.get("/variables/keys", headers=api.anyone).headers


def test_an_old_workload_token_is_not_refreshed(api):
    ti_id = api.queue()
    old = with_token(api.tokens.mint_workload(ti_id, time.time() - 595))
    assert "refreshed-api-token" not in api.beat(ti_id, headers=old).headers


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("2026-06-30", 200),
        ("2030-01-01", 200),
        # Before 2026-06-30 this is a variable that is called keys.
        ("2026-06-29", 404),
        ("2025-11-04", 404),
        ("newest", 422),
    ],
)
def test_a_version_is_rounded_down_and_echoed(api, version, status):
    answer = api.http.get("/variables/keys", headers={**api.anyone, "Airflow-API-Version": version})
    assert answer.status_code == status
    assert answer.headers["airflow-api-version"] == version


@pytest.mark.parametrize(
    ("version", "status"), [("2026-04-06", 200), ("2026-01-01", 200), ("2025-11-05", 200), ("2025-11-04", 404)]
)
def test_an_older_version_is_served_down_to_the_oldest(api, version, status):
    query = {"dag_id": "dag"}
    answer = api.http.get("/dag-runs/count", params=query, headers={**api.anyone, "Airflow-API-Version": version})

    assert status == answer.status_code
    assert version == answer.headers["airflow-api-version"]


def test_without_a_version_the_newest_is_served(api):
    assert "2026-06-30" == api.http.get("/health").headers["airflow-api-version"]


def test_the_correlation_id_is_echoed_on_every_answer(api):
    for path in ("/health", "/nothing", "/variables/keys"):
        assert "abc" == api.http.get(path, headers={"correlation-id": "abc"}).headers["correlation-id"]
    assert "correlation-id" not in api.http.get("/health").headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/assets/by-colour", 404),
        ("POST", "/store/asset/by-name/value", 405),
        ("PUT", "/dag-runs/d/r", 405),
        ("POST", "/health", 405),
        ("GET", "/task-instances/x/run", 405),
    ],
)
def test_what_is_not_served_says_so(api, method, path, status):
    answer = api.http.request(method, path, headers=api.anyone)
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


def test_only_the_execution_api_is_here(api):
    assert 404 == httpx.get(api.url.removesuffix("/execution") + "/health").status_code


def test_a_body_over_the_cap_is_refused_and_the_server_goes_on(api):
    ti_id = api.running()
    big = b'"' + b"x" * (3 * 1024 * 1024) + b'"'
    answer = api.http.put(f"/task-instances/{ti_id}/rtif", content=big, headers=api.own(ti_id))
    assert 413 == answer.status_code
    assert "max_body_bytes" in answer.json()["detail"]
    chunked = api.http.put(f"/task-instances/{ti_id}/rtif", content=iter([big]), headers=api.own(ti_id))
    assert 413 == chunked.status_code
    assert 204 == api.beat(ti_id).status_code


def test_a_body_is_not_read_from_a_caller_without_a_token(api):
    answer = api.http.put(f"/task-instances/{uuid.uuid4()}/rtif", content=b"{")
    assert 401 == answer.status_code


@pytest.mark.parametrize("state", ["run", "state", "heartbeat"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"state":"running"}', b"[" * 100_000, b"\xff"])
def test_a_bad_body_is_422_with_a_list_that_names_the_place(api, state, body):
    ti_id = api.running()
    headers = {**api.own(ti_id), "content-type": "application/json"}
    method = "PUT" if state == "heartbeat" else "PATCH"
    answer = api.http.request(method, f"/task-instances/{ti_id}/{state}", content=body, headers=headers)
    assert 422 == answer.status_code
    (problem,) = answer.json()["detail"]
    assert {"type", "loc", "msg", "input"} == problem.keys()
    assert "body" == problem["loc"][0]


def test_a_refusal_is_logged_without_token_or_body(api, caplog):
    caplog.set_level("DEBUG", "airlock")
    token = api.tokens.mint_execution(str(uuid.uuid4()))
    api.http.put("/variables/k", json={"val": "secret", "extra": "secret"}, headers=with_token(token))
    (record,) = [record for record in caplog.records if record.name == "airlock.api"]
    logged = str(vars(record))
    assert 422 == record.status
    assert "extra_forbidden at body.extra" in record.why
    assert "secret" not in logged
    assert token not in logged
