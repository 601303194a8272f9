"""Params. tests/contract/sdk has them beside Airflow's."""

import pytest
from doubles.imports import imported_by

from airlock.sdk.definitions.param import Param, ParamsDict, ParamValidationError, process_params
from airlock.sdk.exceptions import AirlockConfigException


class Declared:
    def __init__(self, **params):
        self.params = ParamsDict(params)


DAG = Declared(a=1, b=Param(2, type="integer"))


def test_a_task_finds_the_dags_params_below_its_own_and_the_conf_above():
    values = process_params(
        DAG, Declared(b=Param(3, type="integer"), c=4), {"c": 5, "d": {"x": 1}}, suppress_exception=False
    )

    assert {"a": 1, "b": 3, "c": 5, "d": {"x": 1}} == values
    assert {"a": 1, "b": 2} == DAG.params.dump()


def test_what_one_run_is_given_does_not_stay_in_the_dag():
    dag = Declared(a=1)

    assert {"a": 9} == process_params(dag, None, {"a": 9}, suppress_exception=False)
    assert {"a": 1} == dag.params.dump()


def test_conf_is_left_out_where_the_setting_says_so(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS", "False")

    assert {"a": 1, "b": 2} == process_params(DAG, None, {"a": 9}, suppress_exception=False)


def test_conf_that_a_schema_refuses_is_named_or_is_none():
    with pytest.raises(ParamValidationError, match=r"param b: 'x' is not of type 'integer'.*type"):
        process_params(DAG, None, {"b": "x"}, suppress_exception=False)
    assert {"a": 1, "b": 2} == process_params(DAG, None, {"b": "x"}, suppress_exception=True)


def test_a_merge_replaces_values_unchecked_and_adds_others():
    merged = DAG.params.deep_merge({"b": "x", "n": 1})

    assert {"a": 1, "b": None, "n": 1} == merged.dump()
    assert {"a": 1, "b": 2} == DAG.params.dump()
    with pytest.raises(ParamValidationError, match="param b"):
        merged.validate()


def test_the_place_in_a_nested_value_is_named():
    schema = {"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "integer"}}}}

    with pytest.raises(ParamValidationError, match=r"\$\.rows\[1\]"):
        Param({"rows": [1, "x"]}, schema=schema).resolve()


def test_a_switch_that_is_neither_is_named(monkeypatch):
    monkeypatch.setenv("AIRLOCK__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS", "perhaps")
    with pytest.raises(AirlockConfigException, match=r"dag_run_conf_overrides_params .*'perhaps'"):
        process_params(DAG, None, {"a": 1}, suppress_exception=False)


def test_params_without_a_schema_import_neither_json_nor_a_validator():
    assert set() == imported_by("airlock.sdk.definitions.param") & {
        "json",
        "jsonschema",
        "logging",
        "inspect",
        "dataclasses",
    }
