"""What the end of a launch means for the questions that an author's timetable was asked."""

import msgspec
import pytest

from airlock_server.launching.local.timetables import TimetableSource, answers_of, own_timetable
from airlock_wire.assets import DeclaredAsset
from airlock_wire.dags.conditions import OneAsset
from airlock_wire.dags.schedule import AssetOrTime, CronTrigger, Custom
from airlock_wire.protocol.timetables import Answer, Describe, TimetableResult
from airlock_wire.record import Reason, Record

SOURCE = TimetableSource(bundle="b", file="a/d.py", dag_id="d", seconds=3)
CUSTOM = Custom(classpath="plugins.Own")
A = OneAsset(asset=DeclaredAsset(type="Asset", name="a", uri="a"))


@pytest.mark.parametrize(
    ("record", "data", "error"),
    [
        (Record(reason=Reason.TIMED_OUT), None, "a/d.py: TimetableTimeout: it took longer than 3 s to answer"),
        (Record(reason=Reason.CRASHED, message="signal 9"), None, "TimetableCrashed: the process that asked it ended without an answer: signal 9"),
        (None, None, "TimetableCrashed: the process that asked it ended without an answer; see"),
        (Record(reason=Reason.ANSWERED), b'{"type": "TimetableResult"}', "InvalidAnswer: Object missing required field `answers`"),
        (Record(reason=Reason.ANSWERED), b'{"type": "TimetableResult", "answers": []}', "InvalidAnswer: 0 answers to 2 questions"),
    ],
)  # fmt: skip
def test_without_an_answer_each_question_has_the_error(record, data, error):
    answers = answers_of(SOURCE, record, data, 2)

    assert 2 == len(answers)
    assert error in answers[0].error
    assert answers[0] == answers[1]


def test_answers_are_those_of_the_runner_in_their_order():
    answers = [Answer(run_id="a"), Answer(error="d.py:1: no")]
    data = msgspec.json.encode(TimetableResult(answers=answers))

    assert answers == answers_of(SOURCE, Record(reason=Reason.ANSWERED), data, 2)


@pytest.mark.parametrize(
    ("schedule", "own"),
    [
        (CUSTOM, CUSTOM),
        (AssetOrTime(timetable=CUSTOM, condition=A), CUSTOM),
        (CronTrigger(expression="@daily"), None),
        (AssetOrTime(timetable=CronTrigger(expression="@daily"), condition=A), None),
    ],
)
def test_a_timetable_is_the_authors_own_also_inside_a_schedule_by_time_and_assets(schedule, own):
    assert own == own_timetable(schedule)


def test_the_log_is_named_after_the_file_or_the_class():
    of_class = msgspec.structs.replace(SOURCE, file="", classpath="plugins.Own")

    assert "timetable/d.log" == SOURCE.work([Describe()]).log_path
    assert "timetable/plugins.log" == of_class.work([Describe()]).log_path
