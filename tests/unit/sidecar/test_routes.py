"""The table of requests: total, and right where Airflow's client cannot be compared (tests/contract/wire has that one)."""

import string
import typing
from datetime import UTC, datetime

import msgspec
import pytest

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import routes
from airlock_sidecar.requests.handlers import Handlers
from airlock_wire.protocol import changes, lookups, messages, stores, whole
from airlock_wire.workload import Access

IDS = {"ti_id": "01890000-0000-7000-8000-000000000001", "dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1}
OTHER = "01890000-0000-7000-8000-00000000000f"
OWN = {name: IDS[name] for name in ("dag_id", "run_id", "task_id")}


def test_every_message_has_a_row_or_a_function():
    served = set(Handlers(typing.cast("typing.Any", None), None, Access(), lambda: -1).table)

    assert set(typing.get_args(whole.FromTask)) == served - {whole.LargeSetXCom}


@pytest.mark.parametrize("kind", routes.ROUTES, ids=lambda kind: kind.__name__)
def test_a_row_names_only_fields_that_are_there(kind):
    route, fields = routes.ROUTES[kind], set(kind.__struct_fields__)
    in_path = {name for _, name, _, _ in string.Formatter().parse(route.path) if name} - {"ti_id"}

    assert (
        set()
        == (in_path | {*route.query, *route.body, *route.detail} | ({route.whole, route.governed} - {""})) - fields
    )
    assert route.field in ("", *(route.reply.__struct_fields__ if route.reply else ()))


@pytest.mark.parametrize("kind", routes.ROUTES, ids=lambda kind: kind.__name__)
def test_a_row_that_changes_something_says_so(kind):
    assert (routes.ROUTES[kind].method not in ("GET", "HEAD")) is routes.ROUTES[kind].changes


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
        routes.request(ask, IDS)


def test_a_question_about_the_run_before_is_always_this_task_instances():
    asked = routes.request(lookups.GetPrevSuccessfulDagRun(ti_id=OTHER), IDS)

    assert f"/task-instances/{IDS['ti_id']}/previous-successful-dagrun" == asked.path


@pytest.mark.parametrize("odd", ["", ".", "..", "a/../b", "./a", "a/.", "keys\n", "\x00", "a\x85"])
def test_what_could_be_another_path_is_refused(odd):
    with pytest.raises(ValueError, match="cannot be part of an address"):
        routes.request(changes.PutVariable(key=odd, value="1", description=None), IDS)


def test_what_separates_in_an_address_is_quoted():
    asked = routes.request(messages.GetVariable(key="a/b?c#d%2F"), IDS)

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
    assert (field, name) == routes.missing_grant(ask, IDS, DENYING)
    assert None is routes.missing_grant(ask, IDS, Access(xcom_writes=None))


def test_every_message_has_a_rule_or_says_why_it_needs_none():
    for kind, route in routes.ROUTES.items():
        assert bool(route.rule) is not bool(route.free), kind
        assert not route.rule or bool(route.governed) is (route.needs is None), kind


@pytest.mark.parametrize("kind", [kind for kind, route in routes.ROUTES.items() if route.free], ids=str)
def test_a_message_that_needs_no_grant_is_of_this_task_instance_by_the_servers_own_word(kind):
    assert "{ti_id}" in routes.ROUTES[kind].path


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
    assert ("tasks", "d/*") == routes.missing_grant(lookups.GetTaskStates(dag_id="d"), IDS, granted)


@pytest.mark.parametrize("pattern", ["d/*", "d*", "*"])
def test_all_tasks_of_a_dag_are_granted_by_a_pattern_for_them(pattern):
    assert None is routes.missing_grant(lookups.GetTaskStates(dag_id="d"), IDS, Access(tasks=(pattern,)))


def test_each_task_that_is_named_is_needed():
    asked = lookups.GetTaskStates(dag_id="d", task_ids=["a", "b"])

    assert ("tasks", "d/b") == routes.missing_grant(asked, IDS, Access(tasks=("d/a",)))


def test_an_event_by_name_and_uri_needs_both():
    asked = lookups.GetAssetEventByAsset(name="orders", uri="s3://o")

    assert ("assets", "s3://o") == routes.missing_grant(asked, IDS, Access(assets=("orders",)))


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
    assert None is routes.missing_grant(asked, IDS, DENYING)


def test_every_message_with_a_rule_was_tried():
    assert {kind for kind, route in routes.ROUTES.items() if route.rule} == {type(ask) for ask, _, _ in GOVERNED}


def test_a_tasks_own_xcoms_need_no_grant():
    for ask in (
        messages.GetXCom(key="k", **OWN),
        messages.SetXCom(key="k", value=1, **OWN),
        changes.DeleteXCom(key="k", **OWN),
    ):
        assert None is routes.missing_grant(ask, IDS, DENYING)


def test_unless_it_is_said_otherwise_a_task_writes_no_others_xcoms():
    assert ("xcomWrites", "other/t") == routes.missing_grant(messages.SetXCom(value=1, **XCOM), IDS, Access())
    assert None is routes.missing_grant(messages.GetXCom(**XCOM), IDS, Access())
