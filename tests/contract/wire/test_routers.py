"""
Each request comes to the endpoint that it is meant for, with the values that its message has: at Airflow's own router and
at ours. What would come to another is refused before it is sent, or is not a request at all.
"""

import json
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest
from contract.wire import samples

from airlock_server.api.app import ROUTES as SERVED
from airlock_server.api.execution.routing import Router
from airlock_sidecar import errors
from airlock_sidecar.requests.route import Request, placeholders
from airlock_sidecar.requests.routes import ROUTES
from airlock_wire.protocol import whole

DRIVER = Path(__file__).parent / "drivers" / "routers.py"
TI_ID = samples.TASK_INSTANCE.id
IDS = {"ti_id": TI_ID, "dag_id": "etl", "run_id": "r", "task_id": "t", "map_index": -1}
ODD = [
    "keys", "keys/", "/keys", "keys\n", "a/b", "/", "//", "a/", "a//b", ".", "..", "a/..", "../keys", "./keys", "%2F",
    "a%2Fb", "..%2Fkeys", "a%00", "a\x00", "a\nb", "ünï", "日本", "\u2028", "a?b=c", "a#b", "a;b", "a b", "slice", "x/slice",
    "x/slice\n", "/slice", "item/0", "x/item/0", "x/item/0/item/1", "x/item/0/slice", "x/slice/item/0", "x/slice/slice",
    "item", "count", "clear", "state", "previous", "test", "value", "run", "a" * 1000,
]  # fmt: skip
#: How the endpoints call what the messages call otherwise.
NAMES = {"variable_key": "key", "connection_id": "conn_id", "task_instance_id": "ti_id"}


def requests():
    """(message's name, request, its values) for each message with each odd value in each part of its address."""
    for kind, route in ROUTES.items():
        if kind is whole.LargeSetXCom or kind.__name__ in samples.OURS:
            continue
        full = samples.FULL[kind.__name__]
        if "ti_id" in kind.__struct_fields__:
            full = msgspec.structs.replace(full, ti_id=TI_ID)
        parts = [name for name in placeholders(route.path) if name not in ("ti_id", "offset")]
        for changes in [{}, *({name: odd} for name in parts for odd in ODD)]:
            ask = msgspec.structs.replace(full, **changes)
            try:
                made = route.request(ask, IDS)
            except (errors.NotAllowed, errors.NotFound, ValueError):
                assert changes, f"{kind.__name__} is refused as it is"
                continue
            values = {name: str(getattr(ask, name)) for name in placeholders(route.path) if name != "ti_id"}
            yield kind.__name__, made, values | ({"ti_id": TI_ID} if "{ti_id}" in route.path else {}), bool(changes)


@pytest.fixture(scope="module")
def made():
    return list(requests())


@pytest.fixture(scope="module")
def at_airflow(run_driver, made):
    given = json.dumps([[each.method, each.path] for _, each, _, _ in made])
    return json.loads(run_driver(DRIVER, given.encode()).splitlines()[-1])


def at_ours(each):
    router = Router(SERVED)
    # As the server takes a path apart.
    try:
        route, values = router.find(each.method, unquote(each.path).removeprefix("/").split("/"))
    except Exception:
        return None
    return [route.handler.__name__, values, route.own]


def wrong(made, found):
    """Which requests come to another endpoint than their message's, or with other values."""
    meant = {name: to[0] for (name, _, _, odd), to in zip(made, found, strict=True) if not odd and to}
    return [
        (name, each.path, to)
        for (name, each, values, _), to in zip(made, found, strict=True)
        if to and (to[0] != meant[name] or {NAMES.get(key, key): value for key, value in to[1].items()} != values)
    ]


def test_at_airflows_router_each_comes_to_its_endpoint_with_its_values(made, at_airflow):
    assert [] == wrong(made, at_airflow)
    # Nothing was left out that could have been asked.
    assert [] == [each.path for (_, each, _, _), to in zip(made, at_airflow, strict=True) if to is None]


def test_at_our_router_each_comes_to_its_endpoint_with_its_values(made):
    came = [at_ours(each) for _, each, _, _ in made]

    assert [] == wrong(made, came)
    assert [] == [each.path for (_, each, _, _), to in zip(made, came, strict=True) if to is None]


def test_what_needs_no_grant_is_served_by_both_servers_to_the_task_instance_itself_alone(made, at_airflow):
    free = {kind.__name__ for kind, route in ROUTES.items() if route.free} - samples.OURS
    plain = [(name, each, to) for (name, each, _, odd), to in zip(made, at_airflow, strict=True) if not odd]

    assert free == {name for name, _, to in plain if to[2]}
    assert [] == [name for name, each, _ in plain if name in free and not at_ours(each)[2]]
    state = Request("PATCH", f"/task-instances/{TI_ID}/state", [], None)
    assert at_ours(state)[2]


def test_odd_keys_are_asked_for_and_odd_ids_are_not(made):
    """The control: the table above has both."""
    asked = {(name, unquote(each.path)) for name, each, _, odd in made if odd}

    assert ("GetVariable", "/variables/a/b") in asked
    assert ("GetVariable", "/variables/keys") not in asked
    assert ("PutVariable", "/variables/keys") in asked
    assert not [path for name, path in asked if name == "GetDag" and "/b" in path]
