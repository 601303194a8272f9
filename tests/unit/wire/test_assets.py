"""Declarations of assets: what they may be, and how they travel in a serialized DAG."""

import msgspec
import pytest

from airlock_wire.assets import MAX_BYTES, DeclaredAsset, filled, problem
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask, declared
from airlock_wire.protocol.dags import disclose, enclose


def test_a_name_and_a_uri_fill_in_for_each_other_in_an_asset_alone():
    assert DeclaredAsset(name="n", uri="n") == filled(DeclaredAsset(name="n"))
    assert DeclaredAsset(name="u", uri="u") == filled(DeclaredAsset(uri="u"))
    reference = DeclaredAsset(type="AssetNameRef", name="n")
    assert reference == filled(reference)


@pytest.mark.parametrize(
    ("asset", "text"),
    [
        (DeclaredAsset(), "the name of Asset must not be empty"),
        (DeclaredAsset(name="n"), "the uri of Asset"),
        (DeclaredAsset(type="AssetUriRef", name="n"), "the uri of AssetUriRef"),
        (DeclaredAsset(type="AssetAlias", name=" \n"), "blank"),
        (DeclaredAsset(type="AssetNameRef", name="a\0"), "NUL"),
        (DeclaredAsset(type="AssetNameRef", name="\ud800"), "UTF-8"),
        (DeclaredAsset(type="AssetNameRef", name="ü" * (MAX_BYTES // 2 + 1)), f"may have {MAX_BYTES} bytes"),
    ],
)
def test_a_declaration_that_names_nothing_has_a_problem(asset, text):
    assert text in problem(asset)


@pytest.mark.parametrize("kind", ["Asset", "AssetNameRef", "AssetUriRef", "AssetAlias"])
def test_a_declaration_that_names_an_asset_has_none(kind):
    assert "" == problem(DeclaredAsset(type=kind, name="n" * MAX_BYTES, uri="u" * MAX_BYTES))


def dag(**assets):
    return enclose(SerializedDag(dag_id="d", tasks=[SerializedTask(task_id="t", **assets)]))


def test_inlets_and_outlets_travel_with_their_task():
    outlet = {"type": "Asset", "name": "n", "uri": "u", "group": "g", "extra": {"a": 1}}
    task = disclose(dag(outlets=[outlet])).task("t")
    assert [DeclaredAsset(name="n", uri="u", group="g", extra={"a": 1})] == declared(task.outlets)
    assert [] == declared(task.inlets)


@pytest.mark.parametrize("odd", [{"type": "Table", "name": "n"}, {"name": "n"}, {"name": 3, "uri": "u"}, {"extra": []}])
def test_what_declares_no_asset_makes_the_dag_invalid(odd):
    with pytest.raises(msgspec.ValidationError):
        disclose(dag(inlets=[odd]))
