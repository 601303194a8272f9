"""Values that are not JSON: each side writes the same, and reads what the other wrote."""

import pytest
from contract.sdk.conftest import without_text

pytestmark = pytest.mark.slow

SETUP = """
import datetime as dt, decimal, os, uuid, zoneinfo
import pendulum, numpy, pandas
os.environ["AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES"] = "airflow.* values.*"
from values import *
import airflow.sdk.serde, airlock.sdk.serde
from {definitions}.asset import Asset, AssetAlias, AssetAll
from {definitions}.asset.access_control import AssetAccessControl

def kind(value):
    name = f"{{type(value).__module__}}.{{type(value).__qualname__}}"
    # What one side wrote the other reads as its own.
    return name.replace("airlock.", "airflow.").replace(".assets.Asset", ".Asset").replace(".alias.", ".")

def shown(value):
    if isinstance(value, (list, tuple, set, frozenset)):
        return [kind(value), sorted(map(str, map(shown, value))) if isinstance(value, (set, frozenset)) else [*map(shown, value)]]
    if isinstance(value, dict):
        return {{key: shown(each) for key, each in value.items()}}
    if hasattr(value, "group"):
        return [kind(value), value.name, getattr(value, "uri", None), value.group, getattr(value, "extra", None)]
    return [kind(value), str(value)]

def both(value):
    written = write(value)
    return [written, shown(read(written))]
"""
THEIRS = SETUP.format(definitions="airflow.sdk.definitions") + (
    "write, read, own = airflow.sdk.serde.serialize, airlock.sdk.serde.deserialize, airflow.sdk.serde\n"
)
OURS = SETUP.format(definitions="airlock.sdk.definitions") + (
    "write, read, own = airlock.sdk.serde.serialize, airflow.sdk.serde.deserialize, airlock.sdk.serde\n"
)
VALUES = [
    "None", "3", "1.5", "'text'", "True", "[1, 'a', None, [2.5]]", "{'a': {'b': [1]}}", "{1: 2, None: 3}", "()", "(1, (2, 'a'))",
    "{1}", "frozenset([2])", "[(1, 2), {3}]", "{'k': (1,)}", "Point(1, (2,))", "Colour.RED", "Number.ONE", "[Colour.RED]",
    "dt.date(2026, 3, 8)", "dt.timedelta(days=1, microseconds=5)", "dt.timedelta(seconds=3)",
    "dt.datetime(2026, 3, 8, 1, 2, 3, 456789, tzinfo=dt.timezone.utc)", "dt.datetime(2026, 3, 8, 1, 2, 3)",
    "dt.datetime(2026, 3, 29, 2, 30, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))", "zoneinfo.ZoneInfo('Asia/Tokyo')",
    "pendulum.datetime(2026, 3, 8, tz='Europe/Paris')", "pendulum.datetime(2026, 3, 8)", "pendulum.date(2026, 3, 8)",
    "pendulum.timezone('Europe/Rome')", "pendulum.timezone(3600)", "pendulum.timezone('UTC')", "pendulum.FixedTimezone(0)",
    "pendulum.datetime(2026, 3, 8, tz=pendulum.timezone(-5400))", "decimal.Decimal('12')", "decimal.Decimal('1.25')",
    "decimal.Decimal('1E+3')", "uuid.UUID(int=7)", "Plain('a', [1, 2])", "Plain('a', [(1,)])", "Versioned('v')", "Attributes('a')",
    "Attributes('a', Attributes('b', {1}))", "Model(name='m')", "[Model(name='m', number=4)]", "Own(3)", "Own((1, 2))",
    "numpy.int32(3)", "numpy.uint8(3)", "numpy.float32(1.5)", "numpy.float64(1.5)", "numpy.bool_(True)",
    "Bare()", "b'bytes'", "1j", "object()", "{'__classname__': 'x'}", "{'a': {'__id__': 1}}", "lambda: 1", "range(3)",
    "Asset('a', 's3://b/k', extra={'n': 1})", "AssetAlias('l', group='g')", "AssetAccessControl(['t'])",
]  # fmt: skip
#: What each side's own reader makes of data.
DATA = [
    "{'__classname__': 'values.Bare', '__version__': 0, '__data__': {}}",
    "{'__classname__': 'values.Plain', '__version__': 1, '__data__': {'name': 'a'}}", "{'__classname__': 'values.Plain', '__version__': 0, '__data__': [1]}",
    "{'__classname__': 'other.Plain', '__version__': 0, '__data__': {}}",
    "{'__classname__': 'values.Nowhere', '__version__': 0, '__data__': {}}", "{'__classname__': 3, '__version__': 0}", "{'__classname__': '', '__version__': 0}",
    "{'__type': 'tuple', '__var': [1]}", "{'__type': 'dict', '__var': {'a': 1}}", "{'__type': 'datetime', '__var': 5.5}",
    "{'__type': 'timedelta', '__var': 5.0}", "{'__classname__': 'builtins.set', '__version__': 2, '__data__': []}",
    "{'__classname__': 'datetime.datetime', '__version__': 1, '__data__': {'timestamp': 0.0, 'tz': 'EDT'}}",
    "{'__classname__': 'datetime.datetime', '__version__': 1, '__data__': {'timestamp': 0.0, 'tz': 'Europe/Oslo'}}",
    "{'__classname__': 'datetime.datetime', '__version__': 2, '__data__': 'text'}", "(1, {2})", "{'a': (1,)}",
    "{'__classname__': 'uuid.UUID', '__version__': 1, '__data__': 7}", "{'__classname__': 'values.Plain'}",
]  # fmt: skip
#: Each of these is described without importing its class.
DESCRIBED = ["(1, 2)", "Plain('a', [1])", "dt.timedelta(seconds=3)", "{'k': Model(name='m')}", "uuid.UUID(int=7)"]
EXPRESSIONS = [
    *(f"both({value})" for value in VALUES),
    *(f"shown(own.deserialize({value}))" for value in DATA),
    *(f"own.deserialize(write({value}), full=False)" for value in DESCRIBED),
    # Two files of one frame differ in bytes that no reader sees.
    "shown(read(write(pandas.DataFrame({'a': [1, 2], 'b': ['x', None]}))))",
    "shown(own.deserialize({'name': 'a'}, type_hint=Plain))",
    "own.allow_class(type('Local', (), {}))",
    "own.allow_class(dt.datetime) or 'allowed'",
]


@pytest.fixture(scope="module")
def answers(beside):
    return dict(zip(EXPRESSIONS, beside(cases=[[THEIRS, OURS, each] for each in EXPRESSIONS])["cases"], strict=True))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_side_reads_what_the_other_wrote(answers, expression):
    theirs, ours = answers[expression]

    assert without_text(theirs) == without_text(ours), (theirs, ours)
