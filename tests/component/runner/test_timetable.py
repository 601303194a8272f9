"""Timetable mode: questions of a scheduler in, answers of the author's classes out."""

import pytest

CODE = """
import os
from datetime import datetime, timedelta
from airflow.sdk import DAG, Asset
from airflow.sdk.definitions.partition_mappers.base import PartitionMapper
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.base import DagRunInfo, DataInterval, Timetable

class Shifts(Timetable):
    description = "one run for each shift"

    def __init__(self, hours, how=""):
        self.hours, self.how = hours, how

    @property
    def summary(self):
        return f"shifts of {self.hours} h"

    def serialize(self):
        return {"hours": self.hours, "how": self.how}

    @classmethod
    def deserialize(cls, data):
        return cls(**data)

    def infer_manual_data_interval(self, *, run_after):
        if self.how == "raises":
            raise RuntimeError("no luck")
        if self.how == "exits":
            raise SystemExit(3)
        if self.how == "wrong":
            return 3
        return DataInterval(run_after - timedelta(hours=self.hours), run_after)

    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        last = last_automated_data_interval
        start = last.end if last else restriction.earliest
        if start is None or (restriction.latest and start > restriction.latest):
            return None
        if self.how == "naive":
            return DagRunInfo.interval(datetime(2026, 1, 1), datetime(2026, 1, 2))
        if self.how == "wrong":
            return 3
        return DagRunInfo.interval(start, start + timedelta(hours=self.hours))

    def generate_run_id(self, *, run_type, run_after, data_interval, **extra):
        if self.how == "nameless":
            return None
        return f"{run_type}__shift-{data_interval.start:%dT%H}" if data_interval else f"{run_type.value}__alone"

class Region(PartitionMapper):
    def __init__(self, prefix="", **more):
        super().__init__(**more)
        self.prefix = prefix

    def to_downstream(self, key):
        if key == "refused":
            raise ValueError("no such region")
        if key == "number":
            return [3]
        return self.prefix + key if self.prefix else [key, key.upper()]

class Day(PartitionMapper):
    expected_decoded_type = datetime

    def to_downstream(self, key):
        return key[:10]

    def decode_downstream(self, key):
        return datetime.fromisoformat(key)

    def encode_upstream(self, decoded):
        return f"{decoded:%Y-%m-%dT%H}"

class Half(Region):
    def decode_downstream(self, key):
        return key

class Odd(Region):
    def decode_downstream(self, key):
        return (key,)

    def encode_upstream(self, decoded):
        return 3

with DAG("both", schedule=AssetOrTimeSchedule(timetable=Shifts(6), assets=[Asset("a")])):
    pass
for dag_id, how in {"d": "", **{how: how for how in ("raises", "exits", "wrong", "naive", "nameless")}}.items():
    with DAG(dag_id, schedule=Shifts(8, how)):
        pass
"""
MANUAL = {"about": "manual_run", "run_after": "2026-01-02T08:00:00Z"}
NEXT = {"about": "next_run", "earliest": "2026-01-01T00:00:00Z"}


@pytest.fixture
def ask(sidecar):
    """Asks an author's class in the runner; returns the answers."""

    def call(*questions, code=CODE, **about):
        sidecar.write(code)
        sidecar.write(code, "helper.py")
        request = {"type": "TimetableRequest", "bundle_name": "b", "file": "d.py", "questions": list(questions)}
        sidecar.start(request | (about or {"dag_id": "d"}))
        results = [each for each in sidecar.asked if each["type"] == "TimetableResult"]
        return results[0]["answers"] if results else None

    return call


def times(run):
    interval = run["interval"]
    return [each.strftime("%dT%H") for each in (run["run_after"], interval["start"], interval["end"])]


def test_a_run_by_hand_has_the_interval_and_the_id_that_the_timetable_gives_it(ask):
    run = ask(MANUAL)[0]["run"]

    assert ["02T08", "02T00", "02T08"] == times(run)
    assert "manual__shift-02T00" == run["run_id"]


def test_the_first_run_begins_at_the_dags_start_and_each_next_one_after_the_last(ask):
    interval = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T08:00:00Z"}
    last = {"run_after": "2026-01-01T08:00:00Z", "interval": interval}
    first, second = ask(NEXT, NEXT | {"last": last})

    assert (["01T08", "01T00", "01T08"], "scheduled__shift-01T00") == (times(first["run"]), first["run"]["run_id"])
    assert (["01T16", "01T08", "01T16"], "scheduled__shift-01T08") == (times(second["run"]), second["run"]["run_id"])


def test_no_further_run_is_an_answer_without_a_run(ask):
    assert [{}, {}] == ask({"about": "next_run"}, NEXT | {"latest": "2025-01-01T00:00:00Z"})


def test_an_id_alone_and_the_words_for_people_are_asked_for_too(ask):
    interval = {"start": "2026-01-03T00:00:00Z", "end": "2026-01-03T08:00:00Z"}
    new_id = {"about": "run_id", "run_type": "backfill", "run_after": "2026-01-03T08:00:00Z"}

    assert [
        {"run_id": "backfill__shift-03T00"},
        {"run_id": "backfill__alone"},
        {"description": {"summary": "shifts of 8 h", "description": "one run for each shift"}},
    ] == ask(new_id | {"interval": interval}, new_id, {"about": "describe"})


def test_of_a_schedule_by_time_and_assets_the_time_half_is_asked(ask):
    assert "shifts of 6 h" == ask({"about": "describe"}, dag_id="both")[0]["description"]["summary"]


@pytest.mark.parametrize("classpath", ["airlock_dag_file_d.Shifts", "helper.Shifts"])
def test_a_timetable_is_made_of_its_class_and_what_it_serialized(ask, classpath):
    answers = ask({"about": "describe"}, classpath=classpath, data={"hours": 4})

    assert "shifts of 4 h" == answers[0]["description"]["summary"]


EXTENDED = """
from datetime import timedelta
from airflow.sdk import DAG
from airflow.timetables.base import DagRunInfo
from airflow.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from airflow.timetables.trigger import CronTriggerTimetable

class Weekdays(CronTriggerTimetable):
    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        info = super().next_dagrun_info(last_automated_data_interval=last_automated_data_interval, restriction=restriction)
        while info is not None and info.run_after.weekday() > 4:
            info = DagRunInfo.exact(self._get_next(info.run_after))
        return info

class Late(CronDataIntervalTimetable):
    def _get_next(self, current):
        return super()._get_next(current) + timedelta(hours=1)

class Spans(DeltaDataIntervalTimetable):
    pass

with DAG("weekdays", schedule=Weekdays("0 6 * * *", timezone="Europe/Berlin")): ...
with DAG("late", schedule=Late("0 0 * * *", timezone="UTC")): ...
with DAG("spans", schedule=Spans(timedelta(hours=8))): ...
"""


def test_a_timetable_may_extend_one_of_airflows(ask):
    """2026-01-02 is a Friday, and it was 6 o'clock in Berlin at 5 o'clock."""
    interval = {"start": "2026-01-02T05:00:00Z", "end": "2026-01-02T05:00:00Z"}
    last = {"run_after": "2026-01-02T05:00:00Z", "interval": interval}
    by_hand, following = ask(MANUAL, NEXT | {"last": last, "catchup": True}, code=EXTENDED, dag_id="weekdays")

    assert (["02T08"] * 3, ["05T05"] * 3) == (times(by_hand["run"]), times(following["run"]))


@pytest.mark.parametrize(
    ("dag_id", "moments"),
    [("late", ["03T01", "02T01", "03T01"]), ("spans", ["01T08", "01T00", "01T08"])],
)
def test_what_it_overrides_counts_in_what_it_inherits(ask, dag_id, moments):
    assert moments == times(ask(NEXT | {"catchup": True}, code=EXTENDED, dag_id=dag_id)[0]["run"])


def test_the_moments_that_a_timetable_gets_are_pendulums(ask):
    pytest.importorskip("pendulum")
    code = CODE.replace("return DataInterval(run_after -", "return DataInterval(run_after.subtract(hours=1) -")

    assert ["02T08", "01T23", "02T08"] == times(ask(MANUAL, code=code)[0]["run"])


@pytest.mark.parametrize(
    ("dag_id", "question", "error"),
    [
        ("raises", MANUAL, "d.py:28: RuntimeError: no luck"),
        ("exits", MANUAL, "d.py:30: SystemExit: 3"),
        (
            "wrong",
            MANUAL,
            "TypeError: Shifts.infer_manual_data_interval: the data interval is 3; return a DataInterval",
        ),
        ("wrong", NEXT, "TypeError: Shifts.next_dagrun_info returned a int; return a DagRunInfo, or None"),
        ("naive", NEXT, "returned 2026-01-02 00:00:00, which has no time zone; add one"),
        ("nameless", MANUAL, "TypeError: Shifts.generate_run_id returned None; return text that is not empty"),
        ("nothing", MANUAL, "d.py: no DAG 'nothing' in this file"),
    ],
)
def test_what_a_timetable_raises_is_an_error_with_file_and_line_and_the_next_question_is_answered(
    sidecar, ask, dag_id, question, error
):
    answer, described = ask(question, {"about": "describe"}, dag_id=dag_id)

    assert error in answer["error"]
    assert 0 == sidecar.code
    assert ("description" in described) is (dag_id != "nothing")


@pytest.mark.parametrize(
    ("classpath", "error"),
    [("nowhere.Own", "ModuleNotFoundError: No module named 'nowhere'"), ("helper.Nothing", "has no 'Nothing'")],
)
def test_a_class_that_is_not_there_is_an_error(ask, classpath, error):
    assert error in ask(MANUAL, classpath=classpath)[0]["error"]


def test_a_file_that_cannot_be_imported_is_an_error_with_its_line(ask):
    assert "d.py:1: NameError: name 'x' is not defined" in ask(MANUAL, code="x\n", dag_id="d")[0]["error"]


def test_a_partition_mapper_maps_each_key_to_one_or_several(ask):
    about = {"about": "map_keys", "keys": ["nl", "de"]}
    one, several = (
        about | {"classpath": "airlock_dag_file_d.Region", "data": {"prefix": "eu-"}},
        about | {"classpath": "airlock_dag_file_d.Region"},
    )

    assert [[["eu-nl"], ["eu-de"]], [["nl", "NL"], ["de", "DE"]]] == [each["keys"] for each in ask(one, several)]


@pytest.mark.parametrize(
    ("key", "data", "error"),
    [
        ("refused", {}, "d.py:58: ValueError: no such region"),
        ("number", {}, "TypeError: Region.to_downstream returned 3; return text, or texts"),
        ("a", {"max_downstream_keys": 1}, "ValueError: Region made 2 keys of one; its max_downstream_keys is 1"),
    ],
)
def test_a_key_that_a_mapper_refuses_is_an_error(ask, key, data, error):
    question = {"about": "map_keys", "classpath": "airlock_dag_file_d.Region", "data": data, "keys": [key]}

    assert error in ask(question)[0]["error"]


def of(kind, about, **more):
    return {"about": about, "classpath": f"airlock_dag_file_d.{kind}", **more}


def test_a_mapper_says_what_a_key_of_the_dag_stands_for_and_which_keys_of_the_asset_make_it_up(ask):
    """The window between the two is a rollup's."""
    keys = ["2026-01-02", "2026-01-02T00:00:00+01:00"]
    moments = [{"moment": "2026-01-02T00:00:00"}, {"moment": "2026-01-02T00:00:00+01:00"}]
    hours = [{"moment": "2026-01-02T00:00:00"}, {"moment": "2026-01-02T01:00:00+01:00"}]
    decoded, encoded = ask(of("Day", "decode_keys", keys=keys), of("Day", "encode_keys", values=hours))

    assert moments == decoded["values"]
    assert [["2026-01-02T00"], ["2026-01-02T01"]] == encoded["keys"]


def test_a_mapper_without_such_methods_takes_a_key_for_its_own_text(ask):
    decoded, encoded = ask(
        of("Region", "decode_keys", keys=["nl"]), of("Region", "encode_keys", values=[{"text": "nl"}])
    )

    assert ([{"text": "nl"}], [["nl"]]) == (decoded["values"], encoded["keys"])


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("Half", "TypeError: Half has decode_downstream and not encode_upstream; write both, or neither"),
        ("Odd", "TypeError: Odd.decode_downstream returned ('nl',); return text or a datetime"),
        ("Day", "ValueError: Invalid isoformat string: 'nl'"),
    ],
)
def test_a_key_that_cannot_be_decoded_is_an_error(ask, kind, error):
    assert error in ask(of(kind, "decode_keys", keys=["nl"]))[0]["error"]


def test_a_value_that_is_not_encoded_as_text_is_an_error(ask):
    answer = ask(of("Odd", "encode_keys", values=[{"text": "nl"}]))[0]

    assert "TypeError: Odd.encode_upstream returned 3; return text" in answer["error"]
