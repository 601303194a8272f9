"""Params, partitions, timetables, deadlines, callbacks, retry policies, enums and macros: ours and Airflow's."""

import pytest
from contract.sdk.conftest import different, without_text

pytestmark = pytest.mark.slow

#: Airflow's module, ours, and the names of both.
MODULES = [
    ("definitions.param", "definitions.param", "Param ParamsDict Param.resolve ParamsDict.update ParamsDict.deserialize process_params"),
    ("definitions.partition_mappers.base", "definitions.partitions.mapper", "PartitionMapper RollupMapper"),
    ("definitions.partition_mappers.allowed_key", "definitions.partitions.keys", "AllowedKeyMapper"),
    ("definitions.partition_mappers.fixed_key", "definitions.partitions.keys", "FixedKeyMapper"),
    ("definitions.partition_mappers.identity", "definitions.partitions.keys", "IdentityMapper"),
    ("definitions.partition_mappers.chain", "definitions.partitions.keys", "ChainMapper"),
    ("definitions.partition_mappers.product", "definitions.partitions.keys", "ProductMapper"),
    (
        "definitions.partition_mappers.temporal", "definitions.partitions.temporal",
        "StartOfHourMapper StartOfDayMapper StartOfWeekMapper StartOfMonthMapper StartOfQuarterMapper StartOfYearMapper FanOutMapper",
    ),
    ("definitions.partition_mappers.wait_policy", "definitions.partitions.wait_policy", "WaitForAll MinimumCount"),
    (
        "definitions.partition_mappers.window", "definitions.partitions.window",
        "Window HourWindow DayWindow WeekWindow MonthWindow QuarterWindow YearWindow",
    ),
    ("bases.timetable", "timetables.definition", "BaseTimetable"),
    (
        "definitions.timetables.trigger", "timetables.trigger",
        "CronTriggerTimetable DeltaTriggerTimetable MultipleCronTriggerTimetable CronPartitionTimetable",
    ),
    ("definitions.timetables.interval", "timetables.interval", "CronDataIntervalTimetable DeltaDataIntervalTimetable"),
    ("definitions.timetables.events", "timetables.events", "EventsTimetable"),
    ("definitions.timetables.simple", "timetables.simple", "NullTimetable OnceTimetable ContinuousTimetable"),
    ("definitions.timetables.assets", "timetables.assets", "AssetTriggeredTimetable AssetOrTimeSchedule PartitionedAtRuntime"),
    (
        "definitions.deadline", "definitions.deadline",
        "DeadlineAlert DeadlineReference.AVERAGE_RUNTIME DeadlineReference.FIXED_DATETIME deadline_reference VariableInterval",
    ),
    (
        "definitions.deadline", "definitions.deadline",
        "AverageRuntimeDeadline FixedDatetimeDeadline DeadlineReference.register_custom_reference",
    ),
    ("definitions.callback", "definitions.callback", "AsyncCallback SyncCallback AsyncCallback.get_callback_path"),
    (
        "definitions.retry_policy", "definitions.retry_policy",
        "RetryDecision RetryDecision.fail RetryDecision.retry RetryPolicy.evaluate RetryRule ExceptionRetryPolicy",
    ),
    ("execution_time.macros", "execution_time.macros", "ds_add ds_format ds_format_locale datetime_diff_for_humans"),
]  # fmt: skip
SIGNATURES = {
    **{
        f"{theirs}.{name}": [f"airflow.sdk.{theirs}", name, f"airlock.sdk.{ours}", name]
        for theirs, ours, names in MODULES
        for name in names.split()
    },
    # The old paths have other names for some arguments.
    "trigger": [
        "airflow.timetables.trigger",
        "CronTriggerTimetable",
        "airlock.names.timetables",
        "CronTriggerTimetable",
    ],
    "interval": [
        "airflow.timetables.interval",
        "CronDataIntervalTimetable",
        "airlock.names.timetables",
        "CronDataIntervalTimetable",
    ],
    "events": ["airflow.timetables.events", "EventsTimetable", "airlock.names.timetables", "EventsTimetable"],
}
ENUMS = {
    "TriggerRule": "basis.rules", "WeightRule": "basis.rules", "TaskInstanceState": "basis.states", "DagRunState": "basis.states",
    "DagRunType": "basis.states",
}  # fmt: skip
BEFORE = """
import copy, datetime as dt, json
from dateutil.relativedelta import relativedelta
"""
AFTER = """
async def later(): pass
def now(): pass
class Dag: params = {'a': 1, 'b': Param(2, type='integer'), 'd': 0}
class Task: params = {'b': 3}
def dump(params): return params.dump()
def assigned(params, key, value):
    params[key] = value
    return params.dump()
def updated(params, *args, **kwargs):
    params.update(*args, **kwargs)
    return params.dump()
def checked(timetable):
    timetable.validate()
    return getattr(timetable, 'expression', 'fine')
def fields(x, *names): return [str(getattr(x, name)) for name in names]
def error(e):
    return e
policy = ExceptionRetryPolicy([
    RetryRule(exception=ConnectionError, retry_delay=dt.timedelta(seconds=5), reason='r'), RetryRule('no.where.Error', RetryAction.FAIL),
    RetryRule(['builtins.KeyError', LookupError], RetryAction.FAIL, match_subclasses=False, reason='k'),
], RetryAction.RETRY)
def decided(e):
    decision = policy.evaluate(e, 1, 2)
    return [decision.action.value, decision.retry_delay and decision.retry_delay.total_seconds(), decision.reason]
"""
THEIRS = BEFORE + "".join(f"from airflow.sdk.{theirs} import *\nfrom airflow.sdk.{theirs} import {', '.join(sorted({n.split('.')[0] for n in names.split()}))}\n" for theirs, _, names in MODULES) + (
    "from airflow.sdk import Asset, TriggerRule, WeightRule, TaskInstanceState, DagRunState\n"
    "from airflow.sdk.api.datamodels._generated import DagRunType\nfrom airflow.sdk.definitions.retry_policy import RetryAction\n"
    "from airflow.sdk.execution_time import macros\nfrom airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineReference\n"
    "from airflow.sdk import DAG\nimport os\n"
    "def timetable_of(schedule):\n    timetable = DAG('d', schedule=schedule, max_active_runs=1, start_date=dt.datetime(2026, 1, 1)).timetable\n"
    "    timetable.validate()\n    return [type(timetable).__name__, getattr(timetable, 'expression', None), str(getattr(timetable, 'delta', None))]\n"
) + AFTER  # fmt: skip
OURS = BEFORE + "".join(f"from airlock.sdk.{ours} import *\nfrom airlock.sdk.{ours} import {', '.join(sorted({n.split('.')[0] for n in names.split()}))}\n" for _, ours, names in MODULES) + (
    "from airlock.sdk import Asset\nfrom airlock.sdk.basis.rules import *\nfrom airlock.sdk.basis.states import *\n"
    "from airlock.sdk.definitions.retry_policy import RetryAction\nfrom airlock.sdk.execution_time import macros\n"
    "from airlock.sdk.definitions.deadline import BaseDeadlineReference, DeadlineReference\n"
    "from airlock.sdk.timetables.schedule import from_schedule\nimport os\n"
    "def timetable_of(schedule):\n    timetable = from_schedule(schedule)\n"
    "    return [type(timetable).__name__, getattr(timetable, 'expression', None), str(getattr(timetable, 'delta', None))]\n"
) + AFTER  # fmt: skip
CRONS = [
    "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly", "@midnight", "@annually", "0 0 * * *", "*/5 * * * *",
    "0 9-17/2 * * 1-5", "0 0 1,15 * *", "0 0 31 2 *", "0 0 * * 7", "0 0 * * MON#2", "0 0 L * *", "0 0 15W * *", "0 0 ? * *",
    "0 0 * JAN-MAR SUN", "* * * * * 30", "* * * * * 30 2026", "0 0 * * 5L", "H H * * *", "bad", "", "60 * * * *", "* 24 * * *",
    "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "*/60 * * * *", "* * * *", "1/5 * * * *", "0  0 * * *",
    "0 0 1-31/40 * *", "@never", "0-0 * * * *", "0 0 * * 1-7", "0 0 * * 6-7", "00 00 * * *", "*/59 */23 */31 */12 */6",
]  # fmt: skip
EXPRESSIONS = [
    # Params.
    "Param(1).value", "Param().has_value", "Param(None).has_value", "Param({1})", "Param(object())", "Param((1, 2)).value",
    "Param(1, 'd', type='integer', minimum=1).schema", "Param(1, schema={'type': 'string'}).schema", "Param().resolve()",
    "Param().resolve(suppress_exception=True)", "Param(3, type='integer').resolve('x')", "Param(3, type='integer').resolve(4)",
    "Param('x', type='integer').resolve()", "Param('x', type='integer').resolve(suppress_exception=True)",
    "Param('a', enum=['a', 'b']).resolve('c')", "Param([1, 'a'], prefixItems=[{'type': 'integer'}], items=False).resolve()",
    "Param(None, type=['null', 'string']).resolve()", "Param('2026-13-01', type='string', format='date').resolve()",
    "Param('2026-01-01', type='string', format='date').resolve()", "Param('nonsense', type='string', format='date-time').resolve()",
    "Param('a@b', type='string', format='email').resolve()", "Param('ab', type='string', format='email').resolve()",
    "Param('ab', maxLength=1).resolve()", "Param({'a': 1}, type='object', required=['b']).resolve()", "Param(1, type='nonsense').resolve()",
    "Param(3).serialize()", "Param.deserialize(Param(3, 'd', type='integer').serialize(), 1).schema", "Param.deserialize({}, 2)",
    "copy.copy(Param(3, 'd', type='integer')).description", "{k: v for k, v in Param(3).dump().items() if k != '__class'}",
    "dump(ParamsDict({'a': 1, 'b': Param('x', type='integer'), 'c': Param()}))", "ParamsDict({'a': 1})['a']", "ParamsDict({})['a']",
    "ParamsDict({'b': Param('x', type='integer')})['b']", "ParamsDict({'b': Param('x', type='integer')}, True)['b']",
    "ParamsDict({'b': Param('x', type='integer')}).validate()", "ParamsDict({'b': Param('x', type='integer')}, True).validate()",
    "assigned(ParamsDict({'b': Param(1, type='integer')}), 'b', 2)", "assigned(ParamsDict({'b': Param(1, type='integer')}), 'b', 'x')",
    "assigned(ParamsDict({'b': Param(1, type='integer')}), 'n', [1])", "assigned(ParamsDict({'b': Param(1)}), 'b', Param('p'))",
    "updated(ParamsDict({'a': 1}), {'a': 2, 'b': 3})", "updated(ParamsDict({'a': 1}), ParamsDict({'a': Param('x', type='integer')}))",
    "updated(ParamsDict({'a': 1}), b=2)", "ParamsDict({'a': 1}) == {'a': 1}", "ParamsDict({'a': 1}) == ParamsDict({'a': Param(1)})",
    "hash(ParamsDict({'a': 1}))", "[len(ParamsDict({'a': 1})), 'a' in ParamsDict({'a': 1}), bool(ParamsDict()), list(ParamsDict({'a': 1}))]",
    "[type(v).__name__ for v in ParamsDict({'a': 1}).values()]", "ParamsDict({'a': 1}).get_param('a').value", "repr(ParamsDict({'a': 1}))",
    "dump(ParamsDict.filter_params_by_source(ParamsDict({'a': Param(1, source='dag'), 'b': 2}), 'dag'))", "ParamsDict({'a': 1}).serialize()",
    "dump(copy.deepcopy(ParamsDict({'a': [1]})))", "ParamsDict.deserialize({}, 2)", "dump(ParamsDict.deserialize({'a': 1}, 1))",
    "process_params(Dag, Task, {'c': 4, 'a': {'x': 1}}, suppress_exception=False)", "process_params(Dag, Task, None, suppress_exception=False)",
    "process_params(Dag, Task, {'b': 'x'}, suppress_exception=False)",
    # Partitions.
    "RollupMapper(upstream_mapper=StartOfDayMapper(), window=DayWindow()).is_rollup", "IdentityMapper().to_downstream('k')",
    "RollupMapper(upstream_mapper=IdentityMapper(), window=DayWindow())", "FixedKeyMapper('f').to_downstream('k')", "FixedKeyMapper('')",
    "FixedKeyMapper(3)", "AllowedKeyMapper(['a']).allowed_keys", "IdentityMapper(max_downstream_keys=0)", "IdentityMapper(max_downstream_keys='a')",
    "MinimumCount(0)", "MinimumCount(-3).n", "MinimumCount(1) == MinimumCount(1)", "WaitForAll() == WaitForAll()", "len({MinimumCount(1), MinimumCount(1)})",
    "[m().output_format for m in (StartOfHourMapper, StartOfDayMapper, StartOfWeekMapper, StartOfMonthMapper, StartOfQuarterMapper, StartOfYearMapper)]",
    "StartOfDayMapper(timezone='Europe/Berlin', output_format='%d').output_format", "StartOfDayMapper(timezone='No/Where')",
    "[type(FanOutMapper(upstream_mapper=StartOfWeekMapper(), window=w()).downstream_mapper).__name__ for w in (DayWindow, WeekWindow, MonthWindow, QuarterWindow, YearWindow)]",
    "FanOutMapper(upstream_mapper=StartOfWeekMapper(), window=HourWindow())", "len(ChainMapper(IdentityMapper(), IdentityMapper(), IdentityMapper()).mappers)",
    "ProductMapper(IdentityMapper(), IdentityMapper()).delimiter", "ProductMapper(IdentityMapper())", "DayWindow().direction", "DayWindow(direction='x')",
    "DayWindow(direction=Window.Direction.BACKWARD).serialize()", "DayWindow.deserialize({'direction': 'backward'}).direction", "[w.value for w in Window.Direction]",
    "SegmentWindow([])", "SegmentWindow(['a', ''])", "SegmentWindow(['a', 3])", "SegmentWindow(['a', 'a']).expected_decoded_type",
    "[w.expected_decoded_type for w in (Window, HourWindow, DayWindow, WeekWindow, MonthWindow, QuarterWindow, YearWindow)]",
    # Timetables.
    *(f"checked(CronTriggerTimetable({cron!r}, 'UTC'))" for cron in CRONS), *(f"timetable_of({cron!r})" for cron in CRONS if cron),
    "timetable_of(None)", "timetable_of('@once')", "timetable_of('@continuous')", "timetable_of(dt.timedelta(days=1))",
    "timetable_of(dt.timedelta(0))", "timetable_of(dt.timedelta(days=-1))", "timetable_of(relativedelta(months=1))",
    "timetable_of(relativedelta(months=-1))", "timetable_of(Asset('a'))", "timetable_of([Asset('a'), Asset('b')])", "timetable_of(Asset('a') | Asset('b'))",
    "timetable_of([Asset('a'), 'b'])", "timetable_of(3)", "timetable_of(CronDataIntervalTimetable('@daily', 'UTC'))",
    "fields(MultipleCronTriggerTimetable('@daily', '@hourly', timezone='UTC').timetables[1], 'expression', 'timezone', 'interval', 'run_immediately')",
    "MultipleCronTriggerTimetable(timezone='UTC')", "fields(CronPartitionTimetable('@daily', timezone='UTC', run_offset=-1), 'expression', 'run_offset', 'key_format')",
    "CronPartitionTimetable('@daily', timezone='UTC', run_offset=dt.timedelta(1))", "checked(DeltaDataIntervalTimetable(dt.timedelta(0)))",
    "fields(AssetOrTimeSchedule(timetable=ContinuousTimetable(), assets=[Asset('a')]), 'active_runs_limit', 'can_be_scheduled')",
    "[fields(t(), 'active_runs_limit', 'can_be_scheduled', 'partitioned_at_runtime') for t in (NullTimetable, OnceTimetable, ContinuousTimetable, PartitionedAtRuntime)]",
    "CronTriggerTimetable('@daily', 'UTC') == CronTriggerTimetable('0 0 * * *', 'UTC')", "CronTriggerTimetable('@daily', 'UTC') == CronTriggerTimetable('@hourly', 'UTC')",
    "EventsTimetable([dt.datetime(2026, 1, 1)], description='d').description",
    # Deadlines and callbacks.
    "AsyncCallback(later).serialize()", "AsyncCallback(now)", "SyncCallback(now, {'a': 1}, 'e').serialize()", "SyncCallback('a b')", "SyncCallback(3)",
    "SyncCallback(now, {'context': 1})", "SyncCallback('no.where.function').path", "SyncCallback(' json.dumps ').path", "SyncCallback('json.decoder')",
    "AsyncCallback('json.dumps')", "SyncCallback(now) == SyncCallback(now)", "SyncCallback(now) == AsyncCallback(later)", "len({SyncCallback(now), SyncCallback(now)})",
    "SyncCallback.deserialize({'path': 'no.where.f', 'kwargs': {}, 'executor': 'e'}, 0).executor", "AsyncCallback.deserialize({'path': 'json.dumps', 'kwargs': None}, 0).kwargs",
    "DeadlineReference.DAGRUN_LOGICAL_DATE.serialize_reference()", "DeadlineReference.DAGRUN_QUEUED_AT.serialize_reference()",
    "DeadlineReference.FIXED_DATETIME(dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)).serialize_reference()",
    "DeadlineReference.AVERAGE_RUNTIME().serialize_reference()", "DeadlineReference.AVERAGE_RUNTIME(5, 2).serialize_reference()", "DeadlineReference.AVERAGE_RUNTIME(5, 0)",
    "DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), now)", "DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), SyncCallback(now)).name",
    "DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), SyncCallback(now)) == DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), SyncCallback(now))",
    "deadline_reference(type('Mine', (BaseDeadlineReference,), {})).__name__", "DeadlineReference.Mine.serialize_reference()", "deadline_reference(int)",
    "deadline_reference(DeadlineReference.TYPES.DAGRUN_QUEUED)(type('Queued', (BaseDeadlineReference,), {})).__name__", "len(DeadlineReference.TYPES.DAGRUN)",
    "deadline_reference((int,))(type('Odd', (BaseDeadlineReference,), {}))", "deadline_reference(type('Arg', (BaseDeadlineReference,), {'__init__': lambda self, x: None}))",
    "VariableInterval('k') == VariableInterval('k')",
    # Retry policies.
    "decided(ConnectionResetError())", "decided(LookupError())", "decided(KeyError())[:2]", "decided(IndexError())[:2]", "decided(ValueError())", "policy.serialize()",
    "ExceptionRetryPolicy.deserialize(policy.serialize()).serialize()", "RetryRule('nodots')", "RetryRule(['a.b', KeyError]).exception_path", "RetryRule(KeyError) == RetryRule(KeyError)",
    "RetryDecision.retry(dt.timedelta(seconds=1), 'why').reason", "RetryDecision.fail().action", "RetryDecision.default() == RetryDecision()", "RetryPolicy()",
    # Macros.
    "macros.ds_add('2026-03-01', -1)", "macros.ds_add('2026-03-01', 0)", "macros.ds_add('x', 0)", "macros.ds_add('x', 1)", "macros.ds_format('1/5/2026', '%m/%d/%Y', '%Y-%m-%d')",
    "macros.ds_format_locale('12/07/2024', '%d/%m/%Y', 'EEEE dd MMMM yyyy', 'en_US')", "macros.ds_format_locale('12/07/2024', '%d/%m/%Y', 'EEEE dd MMMM yyyy', 'de')",
    "macros.datetime_diff_for_humans(dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 2))", "[macros.datetime.__name__, macros.timedelta.__name__, macros.json.__name__, macros.time.__name__, macros.uuid.__name__, macros.dateutil.__name__]",
    "0 <= macros.random() < 1", "macros.yaml.safe_load('a: 1')", "macros.nothing",
]  # fmt: skip


@pytest.fixture(scope="module")
def answers(beside):
    enums = [f"{{member.name: member.value for member in {name}}}" for name in ENUMS]
    expressions = [*EXPRESSIONS, *enums, *(f"str(next(iter({name})))" for name in ENUMS)]
    answer = beside(SIGNATURES.values(), [[THEIRS, OURS, each] for each in expressions])
    return dict(zip(SIGNATURES, answer["signatures"], strict=True)), dict(
        zip(expressions, answer["cases"], strict=True)
    )


def test_the_signatures_are_airflows(answers):
    assert {} == different(answers[0])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_case_comes_to_what_airflows_does(answers, expression):
    theirs, ours = answers[1][expression]

    assert without_text(theirs) == without_text(ours), (theirs, ours)


@pytest.mark.parametrize("name", ENUMS)
def test_an_enum_has_airflows_members_and_text(answers, name):
    for expression in (f"{{member.name: member.value for member in {name}}}", f"str(next(iter({name})))"):
        theirs, ours = answers[1][expression]
        assert theirs == ours
