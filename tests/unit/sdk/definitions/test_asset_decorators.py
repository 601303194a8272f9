"""``@asset`` and ``@asset.multi``."""

import pytest

from airlock.sdk import AirlockException, Asset, AssetNameRef, AssetUriRef, task
from airlock.sdk.definitions.asset.decorators import arguments, asset
from airlock.sdk.definitions.graph.stack import opened
from airlock_wire.protocol.lookups import AssetResult, GetAssetByName


def raw(self, context, outlet_events, orders, limit=3):
    """Reads orders."""
    return [self, context, outlet_events, orders, limit]


def plain():
    return 1


def of_the_last_dag():
    dag = opened[-1]
    (only,) = dag.tasks
    return dag, only


def test_a_function_becomes_an_asset_and_a_dag_of_one_task():
    clean = asset(schedule="@daily", tags=["a"], description="d", uri="s3://b/k/", group="g", extra={"n": 1})(raw)
    dag, only = of_the_last_dag()

    assert ("raw", "s3://b/k", "g", {"n": 1}) == (clean.name, clean.uri, clean.group, clean.extra)
    assert ("raw", "@daily", ["a"], "d") == (dag.dag_id, dag.schedule, dag.tags, dag.description)
    assert ("raw", [AssetNameRef("orders")], [clean]) == (only.task_id, only.inlets, only.outlets)
    assert isinstance(clean, Asset)


def test_names_may_be_given():
    named = asset(schedule=None, name="n", dag_id="d")(raw)
    dag, only = of_the_last_dag()

    assert ("n", "n", "d", "raw") == (named.name, named.uri, dag.dag_id, only.task_id)


def test_several_assets_are_a_condition_of_all():
    several = asset.multi(schedule=None, outlets=[Asset("a"), AssetUriRef("u")])(plain)
    dag, only = of_the_last_dag()

    assert (Asset("a"), AssetUriRef("u")) == several.objects
    assert list(several.objects) == only.outlets
    assert ("plain", "plain") == (several.name, dag.dag_id)


def test_a_task_below_the_decorator_gets_the_outlets():
    written = asset(schedule=None)(task(retries=2)(plain))
    _, only = of_the_last_dag()

    assert ([written], 2) == (only.outlets, only.retries)


def test_the_function_is_given_what_its_parameters_name(channel):
    channel.answer = AssetResult(name="orders", uri="s3://o", group="g", extra={"n": 1})
    context = {"outlet_events": object()}

    own, *others, orders, limit = arguments(raw, "me", context).values()

    assert [GetAssetByName(name="me"), GetAssetByName(name="orders")] == channel.asked
    assert [context, context["outlet_events"]] == others
    assert (Asset("orders", "s3://o"), {"n": 1}, 3) == (orders, orders.extra, limit)
    assert own == orders


def test_an_asset_that_nobody_declares_is_named(channel):
    channel.answer = None

    with pytest.raises(AirlockException, match="there is no asset 'orders'"):
        arguments(orders_only, "me", {})


def orders_only(orders):
    pass


def wild(*names):
    pass


def wilder(**names):
    pass


def positional(orders, /):
    pass


@pytest.mark.parametrize("function", [wild, wilder, positional])
def test_a_parameter_that_nothing_fills_is_refused(function):
    with pytest.raises(TypeError, match="@asset"):
        asset(schedule=None)(function)


def test_a_nested_function_and_no_outlets_are_refused():
    def nested():
        pass

    with pytest.raises(ValueError, match="top of its module"):
        asset(schedule=None)(nested)
    with pytest.raises(ValueError, match="no outlets"):
        asset.multi(schedule=None, outlets=[])(plain)
