"""Calls about assets: which there are, what is kept for them, what a success says of them, and the events of that."""

import itertools

import msgspec
from contract.difference.by_hand import call, own
from contract.difference.calls import JSON, NOBODY
from contract.difference.generated import DECLARES, ENDED

ASSET = {"name": "asset", "uri": "s3://bucket/asset"}
SECOND = {"name": "second", "uri": "s3://bucket/second"}
OLD = {"name": "second", "uri": "s3://old/second"}
CLEARED = {"name": "cleared", "uri": "s3://bucket/cleared"}
THROUGH = {"name": "through", "uri": "s3://bucket/through"}
FOREIGN = {"name": "foreign", "uri": "s3://bucket/foreign"}
QUIET = {"name": "quiet", "uri": "s3://bucket/quiet"}
#: How the names of calls begin by which ``differences.TABLE`` knows them: our server does not write the first for a task
#: that did not declare it, and makes the second active at once.
UNDECLARED, FRESH = "of an undeclared outlet", "of a fresh asset"
VALUES = ({"a": [1, None]}, "text", 0, False, [], None, "nul\0")
#: Numbers that JSON or its readers do not have.
NO_NUMBERS = (b'{"value": NaN}', b'{"value": 1e999}')
LONG_KEY, LONG_NAME = "x" * 513, "x" * 1501


def calls(world):
    """Every call, in the order in which they are sent."""
    yield from _lookups()
    yield from _events()
    yield from _inlets_and_outlets(world)
    yield from _kept(world)
    yield from _not_opened(world)
    yield from _written(world)
    yield from _given(world)
    yield from _undeclared(world)


def by(asset, field):
    """A query for an asset by its name or by its URI."""
    return [(field, asset[field])]


def _lookups():
    for asset in (ASSET, SECOND, OLD, FOREIGN, {"name": "never", "uri": "s3://never"}, {"name": "", "uri": ""}):
        for field in ("name", "uri"):
            yield call("GET", f"/assets/by-{field}", f"{asset[field]!r}", query=by(asset, field))
    for alias in ("alias", "empty", "never", "given", ""):
        yield call("GET", "/assets/by-alias", f"{alias!r}", query=[("alias_name", alias)])


def _events():
    for asset in (QUIET, OLD, SECOND, THROUGH, {"name": "never", "uri": "s3://never"}):
        yield from _events_of(asset, f"{asset['name']!r} {asset['uri']!r}")
    mixed = [("name", "quiet"), ("uri", "s3://bucket/asset")]
    yield call("GET", "/asset-events/by-asset", "a name and another's URI", query=mixed)
    yield call("GET", "/asset-events/by-asset", "neither", query=[("name", ""), ("uri", "")])
    second, third = "2020-01-02T00:00:00Z", "2020-01-02T00:00:01Z"
    for window in (
        {"after": second}, {"after": third}, {"before": second}, {"before": "2020-01-01T23:59:59Z"},
        {"after": second, "before": third}, {"after": third, "before": second}, {"ascending": "false"},
        {"limit": "1"}, {"limit": "2", "ascending": "false"}, {"limit": "0"}, {"limit": "-1"}, {"limit": "99"},
        {"after": "2020-01-02T02:00:00+02:00"}, {"after": ""},
    ):  # fmt: skip
        for path, query in (("by-asset", [*QUIET.items()]), ("by-asset-alias", [("name", "alias")])):
            yield call("GET", f"/asset-events/{path}", f"{window}", query=[*query, *window.items()])
    for alias in ("alias", "empty", "never", ""):
        yield call("GET", "/asset-events/by-asset-alias", f"{alias!r}", query=[("name", alias)])


def _events_of(asset, name):
    """Both names of an asset, and each alone."""
    for query in (asset, {"name": asset["name"], "uri": ""}, {"name": "", "uri": asset["uri"]}):
        tell = "+".join(field for field, text in query.items() if text)
        yield call("GET", "/asset-events/by-asset", f"{name} by {tell}", query=[*query.items()])


def _inlets_and_outlets(world):
    for task_id in ("publish", "refer", "stale", "t", "report"):
        yield own("GET", "validate-inlets-and-outlets", f"of {task_id}", world.instance(task_id=task_id))


def _kept(world):
    """The state of assets that the task declares, in the order of a task."""
    ti_id = world.instance(task_id=DECLARES)
    for field in ("name", "uri"):
        pattern = f"/store/asset/by-{field}/value"
        for key in ("plain", "a/b", "x" * 512, LONG_KEY, "ä", " ", "nul\0"):
            query = [*by(SECOND, field), ("key", key)]
            tell = f"{key[:8]!r} ({len(key)})"
            yield call("GET", pattern, f"{tell} before it is kept", query=query, subject=ti_id)
            for value in VALUES if key == "plain" else VALUES[:1]:
                yield call("PUT", pattern, f"{tell} as {value!r}", body={"value": value}, query=query, subject=ti_id)
                yield call("GET", pattern, f"{tell} after {value!r}", query=query, subject=ti_id)
            for number in (1, 2):
                yield call("DELETE", pattern, f"{tell}, call {number}", query=query, subject=ti_id)
        other = "uri" if field == "name" else "name"
        key = ("key", "across")
        yield call("PUT", pattern, "across", body={"value": field}, query=[*by(SECOND, field), key], subject=ti_id)
        across = [*by(SECOND, other), key]
        yield call("GET", f"/store/asset/by-{other}/value", f"across from {field}", query=across, subject=ti_id)
        for number in (1, 2):
            clear = f"/store/asset/by-{field}/clear"
            yield call("DELETE", clear, f"call {number}", query=by(SECOND, field), subject=ti_id)
        yield call("GET", pattern, "that was cleared", query=[*by(SECOND, field), key], subject=ti_id)
    # The alias among its inlets opens the assets that the alias has.
    query = [("name", "through"), ("key", "k")]
    yield call("PUT", "/store/asset/by-name/value", "of an alias", body={"value": 1}, query=query, subject=ti_id)
    yield call("GET", "/store/asset/by-name/value", "of an alias", query=query, subject=ti_id)


def _all_of_the_store(asset, name, subject):
    """The eight operations on the state of one asset."""
    for field in ("name", "uri"):
        value, query = f"/store/asset/by-{field}/value", [*by(asset, field), ("key", "k")]
        yield call("PUT", value, name, body={"value": 1}, query=query, subject=subject)
        yield call("GET", value, name, query=query, subject=subject)
        yield call("DELETE", value, name, query=query, subject=subject)
        yield call("DELETE", f"/store/asset/by-{field}/clear", name, query=by(asset, field), subject=subject)


def _not_opened(world):
    declares = world.instance(task_id=DECLARES)
    for asset in (FOREIGN, OLD, {"name": "never", "uri": "s3://never"}):
        yield from _all_of_the_store(asset, f"of {asset['uri']}, which the task did not declare", declares)
    yield from _all_of_the_store(CLEARED, "by a task that declares none", world.instance())
    yield from _all_of_the_store(CLEARED, "by nobody", NOBODY)
    for field, raw in itertools.product(("name", "uri"), (*NO_NUMBERS, b'{"value": 1, "value": 2}')):
        query = [*by(SECOND, field), ("key", "k")]
        put = call("PUT", f"/store/asset/by-{field}/value", f"of {raw.decode()}", query=query, subject=declares)
        yield msgspec.structs.replace(put, body=raw, headers=JSON)


def _success(world, name, outlets, events=(), task_id=DECLARES, calls=1):
    ti_id = world.instance(task_id=task_id)
    body = {"state": "success", "task_outlets": list(outlets), "outlet_events": list(events), **ENDED}
    for number in range(1, calls + 1):
        tell = f"success {name}" + (f", call {number}" if calls > 1 else "")
        yield own("PATCH", "state", tell, ti_id, body)


def _written(world):
    """What a success says about assets, and the events of it."""
    profile = {"type": "Asset", **ASSET}
    yield from _success(world, "without a word", [profile], calls=2)
    yield from _events_of(ASSET, "after a success without a word")
    said = [
        {"dest_asset_key": ASSET, "extra": {"n": 1}},
        {"dest_asset_key": ASSET, "extra": {"n": [None, "x"]}, "partition_key": "p"},
        {"dest_asset_key": SECOND, "extra": {"of": "no outlet"}},
        {"dest_asset_key": ASSET, "extra": {}, "more": 1},
    ]
    yield from _success(world, "with a few words", [profile], said, calls=2)
    yield from _events_of(ASSET, "after a success with a few words")
    yield from _success(world, "of an outlet twice", [profile, profile], said[:1])
    yield from _events_of(ASSET, "after an outlet came twice")
    yield from _success(world, "of two outlets", [{"type": "Asset", **SECOND}, profile])
    yield from _events_of(ASSET, "after two outlets")
    yield from _events_of(SECOND, "after two outlets")
    refs = [{"type": "AssetNameRef", "name": "asset"}, {"type": "AssetUriRef", "uri": SECOND["uri"]}]
    for ref in refs:
        yield from _success(world, f"of an {ref['type']}", [ref], said, task_id="refer")
    yield from _events_of(ASSET, "after references")
    yield from _events_of(SECOND, "after references")
    yield from _success(world, "of an inactive outlet", [{"type": "Asset", **OLD}], task_id="stale")
    yield from _events_of(OLD, "after an inactive outlet")
    half = [{"type": "Asset", "name": "asset"}, {"type": "AssetNameRef", "uri": "x"}, {"type": "never", "name": "x"}]
    yield from _success(world, "of outlets without names", half)
    yield from _events_of(ASSET, "after outlets without names")


def _given(world):
    """What a success gives to aliases."""
    given, shared = ({"type": "AssetAlias", "name": name} for name in ("given", "shared"))

    def event(asset, alias="given", **more):
        return {"source_alias_name": alias, "dest_asset_key": asset, "extra": {"via": alias}, **more}

    def after(name, *assets):
        for alias in ("given", "shared"):
            yield call("GET", "/assets/by-alias", f"{alias} {name}", query=[("alias_name", alias)])
            yield call("GET", "/asset-events/by-asset-alias", f"{alias} {name}", query=[("name", alias)])
        for asset in assets:
            yield from _events_of(asset, name)

    yield from _success(world, "with an alias", [given], [event(THROUGH, partition_key="p")], calls=2)
    yield from after("after an alias", THROUGH)
    yield from _success(world, "with an alias that is no outlet", [given], [event(THROUGH, "shared")])
    yield from after("after an alias that is no outlet", THROUGH)
    both = [event(SECOND), event(SECOND, "shared", extra={"via": "given"}), event(ASSET)]
    yield from _success(world, "with two aliases", [given, shared], both)
    yield from after("after two aliases", SECOND)
    fresh = {"name": "fresh", "uri": "s3://bucket/fresh"}
    new = event(fresh, "shared", dest_asset_extra={"made": [True]})
    yield from _success(world, "with an asset that is new", [shared], [new, new])
    yield from after(FRESH)
    yield from _events_of(fresh, FRESH)
    for field in ("name", "uri"):
        yield call("GET", f"/assets/by-{field}", FRESH, query=by(fresh, field))
    yield from _success(world, "with an inactive asset", [given], [event(OLD)])
    yield from after("after an inactive asset", OLD, SECOND)


def _undeclared(world):
    """Outlets that the task's DAG file does not have."""
    yield from _success(world, UNDECLARED, [{"type": "Asset", **FOREIGN}])
    yield from _events_of(FOREIGN, UNDECLARED)
    event = {"source_alias_name": "empty", "dest_asset_key": FOREIGN, "extra": {}}
    yield from _success(world, f"{UNDECLARED} by an alias", [{"type": "AssetAlias", "name": "empty"}], [event])
    yield call("GET", "/assets/by-alias", UNDECLARED, query=[("alias_name", "empty")])
    yield call("GET", "/asset-events/by-asset-alias", UNDECLARED, query=[("name", "empty")])


def malformed(world):
    """What a success must not say. These end in other states here and there, so they come after all questions about states."""
    profile = {"type": "Asset", **CLEARED}
    good = {"dest_asset_key": CLEARED, "extra": {}}
    for name, event in (
        ("that is empty", {}),
        ("without a key", {"extra": {}}),
        ("whose key lacks a URI", good | {"dest_asset_key": {"name": "cleared"}}),
        ("whose key has more", good | {"dest_asset_key": CLEARED | {"more": 1}}),
        ("whose key is a text", good | {"dest_asset_key": "cleared"}),
        ("whose name is a number", good | {"dest_asset_key": CLEARED | {"name": 1}}),
        ("without an extra", {"dest_asset_key": CLEARED}),
        ("whose extra is null", good | {"extra": None}),
        ("whose extra is a list", good | {"extra": [1]}),
        ("whose alias is null", good | {"source_alias_name": None}),
        ("whose alias is a number", good | {"source_alias_name": 1}),
        ("whose extra of the asset is null", good | {"source_alias_name": "given", "dest_asset_extra": None}),
        ("that is a text", "text"),
    ):
        yield from _success(world, f"with an event {name}", [profile, {"type": "AssetAlias", "name": "given"}], [event])
    for name, outlet in (
        ("without a type", dict(CLEARED)),
        ("whose type is null", profile | {"type": None}),
        ("that has more", profile | {"more": 1}),
        ("whose name is a number", profile | {"name": 1}),
        ("whose name is null", profile | {"name": None}),
        ("that is a text", "cleared"),
    ):
        yield from _success(world, f"with an outlet {name}", [outlet])
    yield from _success(world, "of odd characters", [profile], [good | {"extra": {"a\0": "b\0"}}])
    long = {"name": LONG_NAME, "uri": "s3://long"}
    event = {"source_alias_name": "given", "dest_asset_key": long, "extra": {}}
    yield from _success(world, "of a name that is too long", [{"type": "AssetAlias", "name": "given"}], [event])
    yield from _events_of(long, "of a name that is too long")
