"""How a DAG's options are written as plain data."""

from airlock.sdk import Param, ParamsDict
from airlock_runner.parse.options import params


def test_none_is_a_default_and_no_default_is_none():
    written = params(ParamsDict({"plain": None, "null": Param(None, type="null"), "needed": Param()}), "DAG 'd'")

    assert {"plain": True, "null": True, "needed": False} == {name: each.has_value for name, each in written.items()}
    assert [None, None, None] == [each.value for each in written.values()]
