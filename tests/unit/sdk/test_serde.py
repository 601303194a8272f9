"""Values that are not JSON, written and read. tests/contract/sdk has them beside Airflow's."""

import datetime as dt
import subprocess
import sys
import uuid
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

import hypothesis
import hypothesis.strategies as st
import pytest
from doubles.imports import imported_by

from airlock.sdk import Asset
from airlock.sdk.serde import allow_class, deserialize, serialize

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: not key.startswith("__")), inner),
)
VALUES = st.recursive(
    JSON
    | st.dates()
    | st.uuids()
    | st.timedeltas().map(lambda delta: dt.timedelta(days=delta.days % 9999, seconds=delta.seconds))
    | st.integers(0, 2**32).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
    | st.integers().map(Decimal),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text().filter(lambda key: "__" not in key), inner),
)  # fmt: skip


class Colour(Enum):
    RED = "red"


@dataclass
class Row:
    name: str


@pytest.fixture
def _allowed(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", f"airflow.* {__name__}.R*")


@hypothesis.given(JSON)
def test_json_is_returned_as_it_is(value):
    assert value is serialize(value)
    assert value is deserialize(value)


@hypothesis.given(VALUES)
def test_a_value_comes_back_equal(value):
    assert value == deserialize(serialize(value))


@pytest.mark.parametrize(
    "value",
    [
        {1, 2}, frozenset("ab"), dt.datetime(2026, 3, 8, 1, tzinfo=ZoneInfo("Europe/Berlin")), ZoneInfo("Asia/Tokyo"),
        dt.datetime(2026, 3, 8, tzinfo=dt.timezone(dt.timedelta(hours=2))), uuid.uuid4(), (1, (2, {"k": (3,)})),
    ],
)  # fmt: skip
def test_a_value_and_its_kind_come_back(value):
    again = deserialize(serialize(value))

    assert (value, type(value)) == (again, type(again))


def test_a_fixed_offset_comes_back_as_an_offset():
    zone = dt.timezone(dt.timedelta(seconds=-5400))

    assert zone.utcoffset(None) == deserialize(serialize(zone)).utcoffset(None)


def test_an_enum_is_its_value_and_an_asset_travels_by_airflows_name():
    assert [["red"]] == serialize([[Colour.RED]])
    written = serialize(Asset("a", "s3://b/k", extra={"n": 1}))
    assert "airflow.sdk.definitions.asset.Asset" == written["__classname__"]
    assert (Asset("a", "s3://b/k"), {"n": 1}) == ((again := deserialize(written)), again.extra)


def test_a_class_of_a_dag_file_needs_the_setting():
    with pytest.raises(ImportError, match="allowed_deserialization_classes"):
        deserialize(serialize(Row("a")))


@pytest.mark.usefixtures("_allowed")
def test_a_class_that_the_setting_lists_comes_back():
    assert Row("a") == deserialize(serialize(Row("a")))


def test_a_regular_expression_is_for_the_whole_name(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES_REGEXP", rf"{__name__}\.Ro")
    with pytest.raises(ImportError, match="allowed_deserialization_classes"):
        deserialize(serialize(Row("a")))
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES_REGEXP", rf"x {__name__}\.R\w+")
    assert Row("a") == deserialize(serialize(Row("a")))


def test_our_own_setting_goes_before_airflows(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", "*")
    monkeypatch.setenv("AIRLOCK__CORE__ALLOWED_DESERIALIZATION_CLASSES", "airflow.*")
    with pytest.raises(ImportError, match="not allowed"):
        deserialize(serialize(Row("a")))


def test_a_process_allows_a_class_that_its_path_imports():
    class Local:
        pass

    with pytest.raises(ValueError, match="nested"):
        allow_class(Local)
    with pytest.raises(ValueError, match="cannot be imported"):
        allow_class(type("Absent", (), {}))


def held():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (b"x", TypeError, "builtins.bytes cannot be serialized; give its class"),
        ({"__classname__": 1}, AttributeError, "'__classname__', which marks an object"),
        (held(), RecursionError, "holds itself"),
    ],
)
def test_a_value_that_cannot_be_written_is_named(value, error, text):
    with pytest.raises(error, match=text):
        serialize(value)


def test_an_object_is_described_without_its_class():
    written = {"__classname__": "no.where.Row", "__version__": 1, "__data__": {"a": (1,)}}

    assert "no.where.Row@version=1(a=[1])" == deserialize({**written, "__data__": {"a": [1]}}, full=False)


def test_what_no_value_needs_is_not_imported():
    unwanted = {"dataclasses", "zoneinfo", "pendulum", "numpy", "pandas", "attrs", "pydantic", "inspect"}

    assert set() == imported_by("airlock.sdk.serde") & unwanted


def test_what_is_installed_need_not_be_there_to_read_pendulums_dates():
    code = (
        "import sys; sys.modules['pendulum'] = None\n"
        "from airlock.sdk.serde import deserialize\n"
        "tz = {'__classname__': 'builtins.tuple', '__version__': 1, '__data__': [3600, 'pendulum.tz.timezone.FixedTimezone', 1, True]}\n"
        "data = {'timestamp': 0.0, 'tz': tz}\n"
        "print(deserialize({'__classname__': 'pendulum.datetime.DateTime', '__version__': 2, '__data__': data}).isoformat())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert "1970-01-01T01:00:00+01:00" == done.stdout.strip()
