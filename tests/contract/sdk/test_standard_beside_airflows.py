"""The parts of the standard provider that stand alone: ours and Airflow's, with the same arguments."""

import pytest
from contract.sdk.conftest import different, without_text

pytestmark = pytest.mark.slow

THEIRS, OURS = "airflow.providers.standard", "airlock.standard"
MODULES = [
    ("triggers.temporal", "triggers.temporal", "DateTimeTrigger TimeDeltaTrigger"),
    ("triggers.file", "triggers.file", "FileTrigger FileDeleteTrigger DirectoryFileDeleteTrigger"),
    ("triggers.external_task", "triggers.external_task", "WorkflowTrigger DagStateTrigger"),
    ("utils.weekday", "weekday", "WeekDay.convert WeekDay.validate_week_day WeekDay.get_weekday_number"),
    ("utils.python_virtualenv", "virtualenv", "prepare_virtualenv write_python_script"),
]
BASES = (
    "BaseTrigger BaseEventTrigger TriggerEvent TaskSuccessEvent TaskFailedEvent StartTriggerArgs BaseEventTrigger.hash"
)
TIMEZONE = "utcnow datetime convert_to_utc make_naive parse from_timestamp coerce_datetime"
SIGNATURES = {
    **{
        f"{theirs}.{name}": [f"{THEIRS}.{theirs}", name, f"{OURS}.{ours}", name]
        for theirs, ours, names in MODULES
        for name in names.split()
    },
    **{name: ["airflow.triggers.base", name, "airlock.sdk.bases.trigger", name] for name in BASES.split()},
    **{f"timezone.{name}": ["airflow.sdk.timezone", name, "airlock.sdk.timezone", name] for name in TIMEZONE.split()},
}
#: Signatures that differ, and why.
DIFFERENT = {
    "TriggerEvent": "theirs is a pydantic model, whose signature shows its fields",
    "TaskSuccessEvent": "theirs is a pydantic model, whose signature shows its fields",
    "timezone.from_timestamp": "the default is UTC for both, and theirs is pendulum's",
    "TaskFailedEvent": "theirs is a pydantic model, whose signature shows its fields",
}
SETUP = "import datetime as dt\nfrom zoneinfo import ZoneInfo\n{imports}\nnoon = dt.datetime(2026, 3, 8, 12, tzinfo=ZoneInfo('Europe/Oslo'))\n"


def imports(package, place, timezone, base):
    lines = [
        f"from {package}.{row[place]} import {', '.join({name.split('.')[0] for name in row[2].split()})}"
        for row in MODULES
    ]
    return SETUP.format(imports="\n".join([*lines, f"from {timezone} import timezone", f"from {base} import *"]))


EXPRESSIONS = [
    "[str(DateTimeTrigger(noon).serialize()[1]['moment']), DateTimeTrigger(noon).serialize()[0]]", "DateTimeTrigger()", "DateTimeTrigger('x')",
    "DateTimeTrigger(dt.datetime(2026, 1, 1))", "DateTimeTrigger(noon, target_time='x')", "DateTimeTrigger(target_time='{{ ds }}').serialize()",
    "str(DateTimeTrigger(target_time='2026-03-08T12:00:00+02:00').moment)", "DateTimeTrigger(target_time='').moment",
    "str(DateTimeTrigger(target_time=noon).moment)", "TimeDeltaTrigger(dt.timedelta(1)).serialize()[0]", "FileTrigger('/x').serialize()",
    "FileDeleteTrigger('/x', 2).serialize()", "DirectoryFileDeleteTrigger(directory='/x', filename='f').serialize()",
    "DirectoryFileDeleteTrigger(directory='/x/', filename='f').shared_stream_key()", "FileDeleteTrigger('/x').shared_stream_key()",
    "WorkflowTrigger('d', run_ids=['r'], allowed_states=['success']).serialize()", "DagStateTrigger('d', ['success'], ['r']).serialize()",
    "repr(FileTrigger('/x'))", "WeekDay.convert('sunday')", "WeekDay.convert('x')", "sorted(WeekDay.validate_week_day(['monday', WeekDay.FRIDAY]))",
    "sorted(WeekDay.validate_week_day(WeekDay.MONDAY))", "WeekDay.validate_week_day(3.5)", "prepare_virtualenv('/v', 'python', False, ['a'], 'f')",
    "[FileTrigger.supports_triggerer_queue, FileDeleteTrigger.supports_triggerer_queue]",
    "str(timezone.parse('2026-03-08'))", "str(timezone.parse('2026-03-08T01:02:03+02:00'))", "str(timezone.datetime(2026, 3, 8))",
    "str(timezone.convert_to_utc(noon))", "timezone.convert_to_utc(None)", "str(timezone.convert_to_utc(dt.datetime(2026, 3, 8)))",
    "str(timezone.make_naive(noon))", "timezone.make_naive(dt.datetime(2026, 3, 8))", "str(timezone.from_timestamp(0))",
    "str(timezone.from_timestamp(0, 'Asia/Tokyo'))", "str(timezone.coerce_datetime(noon))", "str(timezone.coerce_datetime(dt.datetime(2026, 3, 8)))",
    "[type(f).__module__.split('.')[0] for f in (timezone.parse('2026-03-08'), timezone.coerce_datetime(noon), timezone.from_timestamp(0))]",
    "timezone.utcnow().utcoffset() == dt.timedelta(0)",
]  # fmt: skip


@pytest.fixture(scope="module")
def answers(beside):
    theirs = imports(THEIRS, 0, "airflow.sdk", "airflow.triggers.base")
    ours = imports(OURS, 1, "airlock.sdk", "airlock.sdk.bases.trigger")
    answer = beside(SIGNATURES.values(), [[theirs, ours, each] for each in EXPRESSIONS])
    return dict(zip(SIGNATURES, answer["signatures"], strict=True)), dict(
        zip(EXPRESSIONS, answer["cases"], strict=True)
    )


def test_the_signatures_are_airflows_but_for_those_listed(answers):
    assert set(DIFFERENT) == set(different(answers[0])), different(answers[0])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_case_comes_to_what_airflows_does(answers, expression):
    theirs, ours = answers[1][expression]

    assert without_text(theirs) == without_text(ours), (theirs, ours)
