"""What a launch may ask for: patterns, and the grant that is missing."""

import pytest

from airlock_sidecar.requests import access
from airlock_sidecar.requests.access import Missing
from airlock_wire import patterns
from airlock_wire.protocol import lookups
from airlock_wire.workload import SERVICE_CONNECTIONS, Access


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("db", "db", True),
        ("db", "db2", False),
        ("*", "", True),
        ("*", "anything/at all", True),
        ("etl_*", "etl_", True),
        ("etl_*", "etl_day", True),
        ("etl_*", "my_etl_day", False),
        ("*_day", "etl_day", True),
        ("*_day", "etl_days", False),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "abc", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("ab*ba", "abba", True),
        ("a*b*b", "ab", False),
        ("", "", True),
        ("", "x", False),
        # Nothing but the star and the question mark is special.
        ("[a]?", "a1", False),
        ("[a]?", "[a]1", True),
        ("a.b", "axb", False),
    ],
)
def test_a_pattern(pattern, name, expected):
    assert expected is patterns.matches(pattern, name)


@pytest.mark.parametrize(
    ("granted", "name", "expected"),
    [
        (None, "db", None),
        (("db",), "db", None),
        (("a", "d*"), "db", None),
        ((), "db", Missing("connections", "db")),
        (("other",), "db", Missing("connections", "db")),
    ],
)
def test_the_grant_that_is_missing(granted, name, expected):
    assert expected == access.missing(Access(connections=granted), access.CONNECTIONS, name)


@pytest.mark.parametrize("granted", [None, (), ("*",), ("airflow_*",), ("AIRFLOW_DB?",)])
# Airflow looks into its environment under the id in upper case, and the last one has a ligature.
@pytest.mark.parametrize("name", ["airflow_db", "AIRFLOW_DB", "Airflow_Db", "air\ufb02ow_db"])
def test_the_connection_of_airflows_own_services_is_nobodys_without_its_very_name(granted, name):
    allowed = Access(connections=granted, connections_by_name=SERVICE_CONNECTIONS)

    assert Missing("connections", name) == access.missing(allowed, access.CONNECTIONS, name)
    assert None is access.missing(Access(), access.CONNECTIONS, name)


def test_a_policy_that_names_it_opens_it():
    allowed = Access(connections=("*", "airflow_db"), connections_by_name=SERVICE_CONNECTIONS)

    assert None is access.missing(allowed, access.CONNECTIONS, "airflow_db")
    assert None is access.missing(allowed, access.CONNECTIONS, "warehouse")
    assert None is access.missing(allowed, access.VARIABLES, "airflow_db")


def test_a_missing_grant_is_named_as_the_manifest_spells_it():
    found = access.missing(Access(variable_writes=()), access.VARIABLE_WRITES, "k")

    assert "this TaskRun's spec.access.variableWrites does not include 'k'" == found.sentence


@pytest.mark.parametrize(
    ("granted", "prefix", "allowed"),
    [
        (None, None, True),
        (("*",), None, True),
        (("*",), "etl_", True),
        (("etl_*",), "etl_", True),
        (("etl_*",), "etl_day", True),
        (("etl_*",), "et", False),
        (("etl_*",), None, False),
        # Not everything that begins so ends so.
        (("etl_*_day",), "etl_", False),
        (("etl_day",), "etl_day", False),
        ((), "etl_", False),
    ],
)
def test_keys_are_listed_where_each_of_them_may_be_read(granted, prefix, allowed):
    assert allowed is (access.missing_listing(Access(variables=granted), access.VARIABLES, prefix or "") is None)


IDS = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": 3}


class Ask:
    def __init__(self, **changes):
        for name, value in (IDS | changes).items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({}, True),
        # The server takes -1 where none is sent: that is another task instance's.
        ({"map_index": None}, False),
        ({"map_index": -1}, False),
        ({"include_prior_dates": True}, False),
        ({"map_index": 4}, False),
        ({"dag_id": "other"}, False),
        ({"run_id": "other"}, False),
        ({"task_id": "other"}, False),
    ],
)
def test_an_own_xcom_is_of_this_very_task_instance(changes, own):
    assert own is access.own_xcom(IDS, Ask(**changes))


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({"map_index": None}, True),
        ({"map_index": -1}, True),
        # All below zero are sent as none.
        ({"map_index": -7}, True),
        ({"map_index": 0}, False),
        ({"map_index": None, "include_prior_dates": True}, False),
    ],
)
def test_the_xcom_of_a_task_that_is_not_mapped_is_the_one_without_a_map_index(changes, own):
    assert own is access.own_xcom(IDS | {"map_index": -1}, Ask(**changes))


def test_a_message_about_all_map_indexes_is_a_mapped_tasks_own_for_none_of_them():
    slice_ = lookups.GetXComSequenceSlice(key="k", dag_id="d", run_id="r", task_id="t", start=0, stop=9, step=1)

    assert False is access.own_xcom(IDS, slice_)
    assert True is access.own_xcom(IDS | {"map_index": -1}, slice_)
