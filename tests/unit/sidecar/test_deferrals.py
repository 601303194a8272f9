"""What a launch may leave behind for a triggerer, and what a success may claim."""

from datetime import UTC, datetime

import pytest

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import governing
from airlock_wire.protocol.endings import AwaitInputTask, DeferTask
from airlock_wire.protocol.messages import SucceedTask
from airlock_wire.workload import Access

IDS = {"ti_id": "01890000-0000-7000-8000-000000000001", "dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1}
TRIGGER = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"
ALL = Access(deferrals=("*",))
DENYING = Access(**dict.fromkeys(Access.__struct_fields__, ()))
CALLED_BACK = "airflow.triggers.callback.CallbackTrigger"


def defer(classpath=TRIGGER, next_method="resume", **more):
    return DeferTask(classpath=classpath, next_method=next_method, **more)


def missing(allowed, ask):
    found = governing.missing_ending(allowed, IDS, ask)
    return found and tuple(found)


@pytest.mark.parametrize(
    "classpath",
    [
        TRIGGER,
        "airflow.providers.http.triggers.http.HttpTrigger",
        "airflow.providers.cncf.kubernetes.triggers.pod.KubernetesPodTrigger",
        "airflow.providers.amazon.aws.triggers.sqs.SqsSensorTrigger",
    ],
)
def test_triggers_of_airflows_providers_are_granted_where_nobody_says_otherwise(classpath):
    assert None is missing(Access(), defer(classpath))


@pytest.mark.parametrize(
    "classpath",
    [
        "subprocess.Popen",
        "os.system",
        "builtins.eval",
        "my.Trigger",
        # What Airflow has that is not a trigger, or calls what it is told to.
        CALLED_BACK,
        "airflow.triggers.base.import_string",
        "airflow.triggers.callback.import_string",
        "airflow.triggers.testing.SuccessTrigger",
        "airflow.utils.process_utils.execute_in_subprocess",
        "airflow.providers.standard.operators.bash.BashOperator",
        "airflow.providers.standard.triggers.file.glob",
        "airflow.providers.standard.triggers.file.os",
        "airflow.providers.standard.triggers.file.FileDeleteTrigger",
        "airflow.providers.standard.hooks.subprocess.SubprocessHook",
        "airflowX.providers.a.triggers.b.CTrigger",
        "x.airflow.providers.a.triggers.b.CTrigger",
    ],
)
def test_every_other_class_must_be_granted(classpath):
    assert ("deferrals", classpath) == missing(Access(), defer(classpath))


def test_what_calls_what_it_is_told_to_is_granted_by_its_name_alone():
    assert ("deferrals", CALLED_BACK) == missing(ALL, defer(CALLED_BACK))
    assert None is missing(Access(deferrals=(CALLED_BACK,)), defer(CALLED_BACK))


@pytest.mark.parametrize(
    "odd", ["", "Popen.", ".Popen", "a b.Trigger", "a..b", "a.b()", "a.__class__", "a/b.C", "a.b\n"]
)
def test_a_path_that_is_none_is_refused_whatever_is_granted(odd):
    with pytest.raises(NotAllowed, match="classpath"):
        missing(ALL, defer(odd))


@pytest.mark.parametrize("odd", ["", "__fail__", "__class__", "_private", "a.b", "a b", "resume()", "1", "résumé!"])
@pytest.mark.parametrize("make", [defer, lambda next_method: AwaitInputTask(next_method=next_method)])
def test_what_is_called_next_is_a_public_method(make, odd):
    with pytest.raises(NotAllowed, match="next_method"):
        missing(ALL, make(next_method=odd))


PLAIN = [
    None,
    {},
    {"moment": "noon", "n": 1, "deep": [{"a": [None]}]},
    {"moment": {"__classname__": "datetime.datetime", "__version__": 2, "__data__": {"timestamp": 1.5, "tz": None}}},
    {"until": {"__classname__": "pendulum.datetime.DateTime", "__version__": 2, "__data__": {"tz": {
        "__classname__": "builtins.tuple", "__version__": 1, "__data__": ["UTC", "x"]}}}},
    {"__type": "dict", "__var": {"a": {"__type": "datetime", "__var": 1.5}}},
]  # fmt: skip
POPEN = {"__classname__": "subprocess.Popen", "__version__": 0, "__data__": {"args": ["id"]}}
ODD = [
    {"a": {"__type": "subprocess.Popen", "__var": {}}},
    {"a": [{"b": {"__type": "dag", "__var": {}}}]},
    {"a": {"Encoding.TYPE": "dag", "Encoding.VAR": {}}},
    {"a": {"__type": 7, "__var": {}}},
    {"a": {"__classname__": ["x"], "__version__": 0}},
    {"a": {"__classname__": "datetime.date", "__type": "dag", "__var": {}, "__version__": 1}},
    {"__var": 1},
]


@pytest.mark.parametrize("plain", PLAIN)
def test_plain_values_are_taken(plain):
    for ask in (
        defer(trigger_kwargs=plain),
        defer(next_kwargs=plain),
        AwaitInputTask(next_method="resume", next_kwargs=plain),
    ):
        assert None is missing(Access(), ask)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "make",
    [
        lambda odd: defer(trigger_kwargs=odd),
        lambda odd: defer(next_kwargs=odd),
        lambda odd: AwaitInputTask(next_method="resume", next_kwargs=odd),
    ],
)
def test_a_value_that_some_reader_makes_an_object_of_is_refused_whatever_is_granted(make, odd):
    with pytest.raises(NotAllowed, match="kwargs"):
        missing(ALL, make(odd))


@pytest.mark.parametrize("named", ["subprocess.Popen", "airflow.models.Connection", "airflow.sdk.Asset"])
@pytest.mark.parametrize(
    "make",
    [
        lambda odd: defer(trigger_kwargs={"a": [odd]}),
        lambda odd: defer(trigger_kwargs=odd),
        lambda odd: defer(next_kwargs={"a": {"b": odd}}),
        lambda odd: AwaitInputTask(next_method="resume", next_kwargs={"a": odd}),
    ],
)
def test_a_value_of_a_class_needs_the_class_granted(make, named):
    ask = make(POPEN | {"__classname__": named})

    assert ("deferrals", named) == missing(Access(), ask)
    assert None is missing(ALL, ask)


def test_arguments_that_cannot_be_looked_into_are_refused():
    with pytest.raises(NotAllowed, match="trigger_kwargs"):
        missing(ALL, defer(trigger_kwargs='{"__classname__": "subprocess.Popen"}'))


@pytest.mark.parametrize(
    ("kwargs", "field", "name"),
    [
        ({"apply_function": "subprocess.getoutput"}, "deferrals", "subprocess.getoutput"),
        ({"inner": [{"callback_path": "os.system"}]}, "deferrals", "os.system"),
        ({"auth_type": {"__type": "dict", "__var": "os.system"}}, "deferrals", "os.system"),
        ({"auth_type": CALLED_BACK}, "deferrals", CALLED_BACK),
        ({"conn_id": "airflow_db"}, "connections", "airflow_db"),
        ({"gcp_conn_id": "google"}, "connections", "google"),
        ({"kafka_config_id": "kafka"}, "connections", "kafka"),
        ({"external_dag_id": "other"}, "dagRuns", "other"),
        ({"dag_id": "other", "states": ["success"]}, "dagRuns", "other"),
    ],
)
def test_what_a_triggers_arguments_name_needs_the_grants_that_the_task_would_need(kwargs, field, name):
    granted = Access(**dict.fromkeys(Access.__struct_fields__, ()) | {"deferrals": (TRIGGER,)})

    assert (field, name) == missing(granted, defer(trigger_kwargs=kwargs))
    assert None is missing(Access(deferrals=("*", CALLED_BACK)), defer(trigger_kwargs=kwargs))


@pytest.mark.parametrize(
    "form", [lambda ti_id: ti_id, lambda ti_id: {"__classname__": "uuid.UUID", "__version__": 1, "__data__": ti_id}]
)
def test_a_trigger_acts_for_its_own_task_instance_only(form):
    assert None is missing(Access(), defer(trigger_kwargs={"ti_id": form(IDS["ti_id"])}))
    with pytest.raises(NotAllowed, match="task instance"):
        missing(ALL, defer(trigger_kwargs={"ti_id": form("01890000-0000-7000-8000-00000000000f")}))


def test_a_deep_argument_is_looked_through():
    deep = {"__type": "dag", "__var": 1}
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(NotAllowed, match="kwargs"):
        missing(ALL, defer(trigger_kwargs={"a": deep}))
    while isinstance(deep, list):
        deep = deep[0]


# --- what a success claims ---

KEY = {"name": "orders", "uri": "s3://orders"}


def succeed(outlets=None, events=None):
    return SucceedTask(end_date=datetime(2026, 1, 1, tzinfo=UTC), task_outlets=outlets, outlet_events=events)


@pytest.mark.parametrize("nothing", [succeed(), succeed([], [])])
def test_a_success_that_claims_nothing_needs_nothing(nothing):
    assert None is missing(DENYING, nothing)


@pytest.mark.parametrize(
    "claims",
    [
        succeed([KEY | {"type": "Asset"}]),
        succeed([{"name": "orders", "uri": None, "type": "AssetNameRef"}]),
        succeed([{"name": "orders", "type": "AssetAlias"}]),
        succeed(None, [{"dest_asset_key": KEY, "extra": {}}]),
        succeed(None, [{"dest_asset_key": KEY, "extra": {}, "source_alias_name": "all"}]),
    ],
)
def test_an_asset_that_a_success_claims_is_never_free(claims):
    assert ("assetEvents", "orders") == missing(Access(), claims)
    assert ("assetEvents", "orders") == missing(DENYING, claims)
    assert None is missing(Access(asset_events=("*",)), claims)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (succeed([{"uri": "s3://x", "type": "AssetUriRef"}]), "s3://x"),
        # A DAG may wait for the name and another for the URI.
        (succeed([{"name": "orders", "uri": "s3://victim", "type": "Asset"}]), "s3://victim"),
        (succeed([{"name": "victim", "uri": "s3://orders", "type": "AssetUriRef"}]), "victim"),
        (succeed(None, [{"dest_asset_key": {"name": "victim", "uri": "s3://orders"}}]), "victim"),
        (succeed(None, [{"dest_asset_key": KEY, "source_alias_name": "all"}]), "all"),
    ],
)
def test_every_name_in_a_claim_must_be_granted(claims, name):
    assert ("assetEvents", name) == missing(Access(asset_events=("orders", "s3://orders")), claims)


def test_what_was_granted_may_be_claimed():
    claims = succeed([KEY | {"type": "Asset"}, {"name": "all", "type": "AssetAlias"}], [
        {"dest_asset_key": KEY, "extra": {"rows": 3}, "source_alias_name": "all"}])  # fmt: skip

    assert None is missing(Access(asset_events=("orders", "s3://orders", "all")), claims)


@pytest.mark.parametrize(
    "claims",
    [
        succeed([{"type": "Asset"}]),
        succeed([{"name": "", "uri": "", "type": "Asset"}]),
        succeed([{"name": ["victim"], "type": "AssetNameRef"}]),
        succeed(None, [{"extra": {}}]),
        succeed(None, [{"dest_asset_key": "victim"}]),
        succeed(None, [{"dest_asset_key": KEY, "source_alias_name": None}]),
    ],
)
def test_a_claim_that_names_no_asset_is_refused(claims):
    with pytest.raises(NotAllowed):
        missing(Access(asset_events=("*",)), claims)
