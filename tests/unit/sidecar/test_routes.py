"""The table of requests: total, and right where Airflow's client cannot be compared (tests/contract/wire has that one)."""

import string
import typing
from datetime import UTC, datetime

import msgspec
import pytest

from airlock_sidecar.errors import NotAllowed, NotFound
from airlock_sidecar.requests import answers
from airlock_sidecar.requests.handlers import Handlers
from airlock_sidecar.requests.routes import ROUTES
from airlock_sidecar.upstream.lookups_file import LookupsFile
from airlock_wire.protocol import changes, lookups, messages, stores, whole
from airlock_wire.workload import Access

IDS = {"ti_id": "01890000-0000-7000-8000-000000000001", "dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1}
OTHER = "01890000-0000-7000-8000-00000000000f"
OWN = {name: IDS[name] for name in ("dag_id", "run_id", "task_id")}


def request(ask):
    return ROUTES[type(ask)].request(ask, IDS)


def missing_grant(ask, allowed):
    return ROUTES[type(ask)].missing_grant(ask, IDS, allowed)


def test_every_message_has_a_row_or_a_function():
    served = set(answers.table(Handlers(typing.cast("typing.Any", None), None, Access(), lambda: -1, LookupsFile(""))))

    assert set(typing.get_args(whole.FromTask)) == served - {whole.LargeSetXCom}


def test_a_message_has_a_row_or_is_answered_without_one():
    assert set() == set(ROUTES) & set(answers.WITHOUT_ROW)


def test_every_terminal_message_is_held_to_its_grants():
    ending = {kind for kind, each in answers.WITHOUT_ROW.items() if each.function is Handlers.ending}

    assert set(whole.TERMINAL) == ending


@pytest.mark.parametrize("kind", ROUTES, ids=lambda kind: kind.__name__)
def test_a_row_names_only_fields_that_are_there(kind):
    route, fields = ROUTES[kind], set(kind.__struct_fields__)
    in_path = {name for _, name, _, _ in string.Formatter().parse(route.path) if name} - {"ti_id"}

    assert (
        set()
        == (in_path | {*route.query, *route.body, *route.detail} | ({route.whole, route.governed} - {""})) - fields
    )
    assert {*route.flags, *route.from_zero, *route.one_of} <= set(route.query)
    assert {route.renamed[0]} <= {"", *route.query, *route.body}
    assert {route.reserved[0]} <= {"", *in_path}
    assert route.field in ("", *(route.answer.__struct_fields__ if route.answer else ()))


@pytest.mark.parametrize("kind", ROUTES, ids=lambda kind: kind.__name__)
def test_a_row_that_changes_something_says_so(kind):
    assert (ROUTES[kind].method not in ("GET", "HEAD")) is ROUTES[kind].changes


@pytest.mark.parametrize("kind", [kind for kind, route in ROUTES.items() if "map_index" in route.query], ids=str)
def test_a_map_index_below_zero_is_not_sent(kind):
    assert "map_index" in ROUTES[kind].from_zero


def test_an_item_of_a_list_gets_the_type_that_the_server_leaves_out():
    ask = lookups.GetAssetsByAlias(alias_name="all")
    asset = {"name": "orders", "uri": "s3://o", "group": "asset", "extra": None}

    body = ROUTES[type(ask)].reply(ask, msgspec.json.encode([asset]))

    assert {"type": "AssetsByAliasResult", "assets": [asset | {"type": "AssetResult"}]} == body


def test_an_event_query_says_each_name_that_the_server_requires():
    ask = lookups.GetAssetEventByAsset(name=None, uri="s3://o", ascending=False)

    assert [("name", ""), ("uri", "s3://o"), ("ascending", "false")] == request(ask).query


def test_an_event_query_for_no_asset_is_refused():
    with pytest.raises(ValueError, match="it needs a name or a uri"):
        request(lookups.GetAssetEventByAsset(name=None, uri=None))


def test_a_connection_whose_id_has_a_slash_is_absent():
    with pytest.raises(NotFound):
        request(messages.GetConnection(conn_id="a/b"))


def test_a_field_has_the_name_that_the_server_knows():
    query = request(lookups.GetAssetEventByAssetAlias(alias_name="all")).query
    body = request(changes.PutVariable(key="v", value="1", description=None)).body

    assert [("name", "all"), ("ascending", "true")] == query
    assert {"val": "1", "description": None} == msgspec.json.decode(body)


def test_a_dag_run_is_triggered_with_what_was_given_alone():
    body = request(changes.TriggerDagRun(dag_id="other", run_id="r", note="by hand")).body

    assert {"note": "by hand"} == msgspec.json.decode(body)


@pytest.mark.parametrize(
    "ask",
    [
        stores.GetTaskStateStore(ti_id=OTHER, key="k"),
        stores.SetTaskStateStore(ti_id=OTHER, key="k", value=1, expires_at=None),
        stores.ClearTaskStateStore(ti_id=OTHER),
        lookups.ValidateInletsAndOutlets(ti_id=OTHER),
        lookups.GetTaskRescheduleStartDate(ti_id=OTHER),
        changes.CreateHITLDetailPayload(ti_id=OTHER, options=["a"], subject="s"),
    ],
    ids=lambda ask: type(ask).__name__,
)
def test_another_task_instances_id_is_refused(ask):
    with pytest.raises(NotAllowed, match=OTHER):
        request(ask)


def test_a_question_about_the_run_before_is_always_this_task_instances():
    asked = request(lookups.GetPrevSuccessfulDagRun(ti_id=OTHER))

    assert f"/task-instances/{IDS['ti_id']}/previous-successful-dagrun" == asked.path


@pytest.mark.parametrize("odd", ["", ".", "..", "a/../b", "./a", "a/.", "keys\n", "\x00", "a\x85"])
def test_what_could_be_another_path_is_refused(odd):
    with pytest.raises(ValueError, match="cannot be part of an address"):
        request(changes.PutVariable(key=odd, value="1", description=None))


def test_what_separates_in_an_address_is_quoted():
    asked = request(messages.GetVariable(key="a/b?c#d%2F"))

    assert "/variables/a%2Fb%3Fc%23d%252F" == asked.path


DENYING = Access(**dict.fromkeys(Access.__struct_fields__, ()))
OTHER_RUN = {"dag_id": "d", "run_id": "r0"}
DATE = datetime(2026, 1, 1, tzinfo=UTC)
XCOM = {"key": "k", "dag_id": "other", "run_id": "r", "task_id": "t"}
STORE = {"name": "orders"}

GOVERNED = [
    (messages.GetConnection(conn_id="c"), "connections", "c"),
    (messages.GetVariable(key="v"), "variables", "v"),
    (lookups.GetVariableKeys(), "variables", "*"),
    (lookups.GetVariableKeys(prefix="p"), "variables", "p*"),
    (changes.PutVariable(key="v", value="1", description=None), "variableWrites", "v"),
    (changes.DeleteVariable(key="v"), "variableWrites", "v"),
    (messages.GetXCom(**XCOM), "xcomReads", "other/t"),
    (lookups.GetXComCount(**XCOM), "xcomReads", "other/t"),
    (lookups.GetXComSequenceItem(offset=0, **XCOM), "xcomReads", "other/t"),
    (lookups.GetXComSequenceSlice(start=0, stop=1, step=1, **XCOM), "xcomReads", "other/t"),
    (messages.SetXCom(value=1, **XCOM), "xcomWrites", "other/t"),
    (whole.LargeSetXCom(value=msgspec.Raw(b"\x01"), **XCOM), "xcomWrites", "other/t"),
    (changes.DeleteXCom(**XCOM), "xcomWrites", "other/t"),
    (changes.TriggerDagRun(dag_id="other", run_id="r"), "triggers", "other"),
    (lookups.GetDag(dag_id="other"), "dagRuns", "other"),
    (lookups.GetDagRun(**OTHER_RUN), "dagRuns", "d"),
    (lookups.GetDagRunState(**OTHER_RUN), "dagRuns", "d"),
    (lookups.GetDRCount(dag_id="d"), "dagRuns", "d"),
    (lookups.GetPreviousDagRun(dag_id="d", logical_date=DATE), "dagRuns", "d"),
    (lookups.GetTICount(dag_id="d"), "tasks", "d/*"),
    (lookups.GetTICount(dag_id="d", task_ids=["t"]), "tasks", "d/t"),
    (lookups.GetTICount(dag_id="d", task_ids=["t"], task_group_id="g"), "tasks", "d/*"),
    (lookups.GetTICount(dag_id="d", task_ids=[]), "tasks", "d/*"),
    (lookups.GetTaskStates(dag_id="d", run_ids=["r"]), "tasks", "d/*"),
    (lookups.GetTaskBreadcrumbs(dag_id="d", run_id="r"), "tasks", "d/*"),
    (lookups.GetPreviousTI(dag_id="d", task_id="t"), "tasks", "d/t"),
    (lookups.GetAssetByName(name="orders"), "assets", "orders"),
    (lookups.GetAssetByUri(uri="s3://o"), "assets", "s3://o"),
    (lookups.GetAssetsByAlias(alias_name="all"), "assets", "all"),
    (lookups.GetAssetEventByAsset(name=None, uri="s3://o"), "assets", "s3://o"),
    (lookups.GetAssetEventByAsset(name="orders", uri=None), "assets", "orders"),
    (lookups.GetAssetEventByAssetAlias(alias_name="all"), "assets", "all"),
    (stores.GetAssetStateStoreByName(key="k", **STORE), "assetStores", "orders"),
    (stores.SetAssetStateStoreByName(key="k", value=1, **STORE), "assetStores", "orders"),
    (stores.DeleteAssetStateStoreByName(key="k", **STORE), "assetStores", "orders"),
    (stores.ClearAssetStateStoreByName(**STORE), "assetStores", "orders"),
    (stores.GetAssetStateStoreByUri(uri="s3://o", key="k"), "assetStores", "s3://o"),
    (stores.SetAssetStateStoreByUri(uri="s3://o", key="k", value=1), "assetStores", "s3://o"),
    (stores.DeleteAssetStateStoreByUri(uri="s3://o", key="k"), "assetStores", "s3://o"),
    (stores.ClearAssetStateStoreByUri(uri="s3://o"), "assetStores", "s3://o"),
]


@pytest.mark.parametrize(("ask", "field", "name"), GOVERNED, ids=[type(ask).__name__ for ask, _, _ in GOVERNED])
def test_a_governed_message_needs_its_grant(ask, field, name):
    assert (field, name) == missing_grant(ask, DENYING)
    assert None is missing_grant(ask, Access(xcom_writes=None))


def test_every_message_has_a_rule_or_says_why_it_needs_none():
    for kind, route in ROUTES.items():
        assert bool(route.rule) is not bool(route.free), kind
        assert not route.rule or bool(route.governed) is (route.needs is None), kind


@pytest.mark.parametrize("kind", [kind for kind, route in ROUTES.items() if route.free], ids=str)
def test_a_message_that_needs_no_grant_is_of_this_task_instance_by_the_servers_own_word(kind):
    assert "{ti_id}" in ROUTES[kind].path


@pytest.mark.parametrize(
    "granted",
    [
        Access(tasks=("d/t",)),
        Access(tasks=("d/t*",)),
        # A list for another DAG, and one that a name could grow out of.
        Access(tasks=("d2/*", "*/t")),
    ],
)
def test_all_tasks_of_a_dag_are_granted_by_nothing_less(granted):
    assert ("tasks", "d/*") == missing_grant(lookups.GetTaskStates(dag_id="d"), granted)


@pytest.mark.parametrize("pattern", ["d/*", "d*", "*"])
def test_all_tasks_of_a_dag_are_granted_by_a_pattern_for_them(pattern):
    assert None is missing_grant(lookups.GetTaskStates(dag_id="d"), Access(tasks=(pattern,)))


def test_each_task_that_is_named_is_needed():
    asked = lookups.GetTaskStates(dag_id="d", task_ids=["a", "b"])

    assert ("tasks", "d/b") == missing_grant(asked, Access(tasks=("d/a",)))


def test_an_event_by_name_and_uri_needs_both():
    asked = lookups.GetAssetEventByAsset(name="orders", uri="s3://o")

    assert ("assets", "s3://o") == missing_grant(asked, Access(assets=("orders",)))


@pytest.mark.parametrize(
    "asked",
    [
        lookups.GetDag(dag_id="d"),
        lookups.GetDagRun(dag_id="d", run_id="r"),
        lookups.GetDagRunState(dag_id="d", run_id="r"),
    ],
    ids=lambda asked: type(asked).__name__,
)
def test_a_tasks_own_dag_and_run_need_no_grant(asked):
    assert None is missing_grant(asked, DENYING)


def test_every_message_with_a_rule_was_tried():
    assert {kind for kind, route in ROUTES.items() if route.rule} == {type(ask) for ask, _, _ in GOVERNED}


def test_a_tasks_own_xcoms_need_no_grant():
    for ask in (
        messages.GetXCom(key="k", **OWN),
        messages.SetXCom(key="k", value=1, **OWN),
        changes.DeleteXCom(key="k", **OWN),
    ):
        assert None is missing_grant(ask, DENYING)


def test_unless_it_is_said_otherwise_a_task_writes_no_others_xcoms():
    assert ("xcomWrites", "other/t") == missing_grant(messages.SetXCom(value=1, **XCOM), Access())
    assert None is missing_grant(messages.GetXCom(**XCOM), Access())
