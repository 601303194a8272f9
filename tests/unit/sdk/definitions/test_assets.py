"""Assets as an author writes them."""

import os

import pytest

from airlock.sdk import DAG, Asset, AssetAlias, AssetAll, AssetAny, AssetNameRef, AssetUriRef, Metadata, task
from airlock.sdk.definitions.asset.declared import declaration
from airlock_wire.assets import MAX_BYTES, DeclaredAsset

A, B = Asset("a"), Asset("b", "s3://x/b", group="g", extra={"n": 1})


def test_name_and_uri_fill_in_for_each_other():
    assert ("a", "a") == (A.name, A.uri)
    assert ("s3://x/y", "s3://x/y") == (Asset(uri="s3://x/y").name, Asset(uri="s3://x/y").uri)
    assert "s3://x/b" == os.fspath(B)


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("S3://Bucket/key/", "s3://Bucket/key"),
        ("s3://bucket", "s3://bucket/"),
        ("pg://me@host/db", "pg://me@host/db"),
        ("x://h/p?b=2&a=1#part", "x://h/p?a=1&b=2"),
        ("x-mine://H/p/", "x-mine://H/p/"),
        ("/a/path/", "/a/path/"),
        ("plain", "plain"),
    ],
)
def test_a_uri_has_one_spelling(written, known):
    assert known == Asset("n", written).uri
    assert known == AssetUriRef(written).uri


def test_a_password_in_a_uri_is_removed_with_a_warning():
    with pytest.warns(UserWarning, match="must not hold a password"):
        assert "pg://host/db" == Asset("n", "pg://me:secret@host/db").uri


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Asset(), TypeError),
        (lambda: Asset(""), ValueError),
        (lambda: Asset(" "), ValueError),
        (lambda: Asset("self"), ValueError),
        (lambda: Asset("n", "airflow://x"), ValueError),
        (lambda: Asset("ü" * (MAX_BYTES // 2 + 1)), ValueError),
        (lambda: Asset(3), ValueError),
        (lambda: Asset("n", group=3), ValueError),
        (lambda: AssetAlias("n", group=3), ValueError),
        (lambda: Asset("n", extra=[1]), TypeError),
        (lambda: Asset.ref(), TypeError),
        (lambda: Asset.ref(name="n", uri="u"), TypeError),
        (lambda: AssetAlias(""), ValueError),
        (lambda: AssetAny(A, "b"), TypeError),
    ],
)
def test_what_is_no_asset_is_refused_where_it_is_written(make, error):
    with pytest.raises(error):
        make()


def test_assets_are_the_same_by_name_and_uri():
    assert A == Asset("a", "a", extra={"n": 1})
    assert 1 == len({A, Asset("a"), Asset("a", group="g")})
    assert A != AssetNameRef("a")
    assert AssetNameRef("a") == Asset.ref(name="a")
    assert AssetUriRef("u") == Asset.ref(uri="u")


def test_conditions_nest_and_are_compared():
    assert AssetAll(A, B) == A & B
    assert AssetAny(A, AssetAll(A, B)) == (A | (A & B))
    with pytest.raises(TypeError):
        _ = A | "b"


def made(**options):
    with DAG("d"):

        @task(**options)
        def t():
            pass

        t()
    return t


def options_of(function):
    with DAG("d") as dag:
        function()
    return dag.get_task("t")


def test_inlets_and_outlets_are_assets_or_lists_or_conditions_of_them():
    options = options_of(made(inlets=[A, AssetAny(B, AssetAlias("l")), A], outlets=B))
    assert [A, B, AssetAlias("l")] == options.inlets
    assert [B] == options.outlets
    assert [] == options_of(made(inlets=[], outlets=None)).outlets


@pytest.mark.parametrize("value", ["orders", [A, "b"], {"a": A}, 3])
def test_what_is_no_asset_is_no_inlet(value):
    with pytest.raises(TypeError, match="@task: inlets must be an Asset"):
        made(inlets=value)


def test_an_asset_is_declared_as_plain_data():
    assert DeclaredAsset(name="b", uri="s3://x/b", group="g", extra={"n": 1}) == declaration(B)
    assert DeclaredAsset(type="AssetAlias", name="l") == declaration(AssetAlias("l"))
    assert DeclaredAsset(type="AssetUriRef", uri="u") == declaration(AssetUriRef("u"))


def test_metadata_has_its_own_copy_of_the_extras():
    extra = {"n": 1}
    metadata = Metadata(A, extra)
    extra["n"] = 2
    assert {"n": 1} == metadata.extra
