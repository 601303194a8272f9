"""
What the author's timetables answer on this machine. A timetable is the author's class, so this process does not load
it: a runner behind a sidecar does, without a token.
"""

from typing import Any, Final

import msgspec

from airlock_server.launching.local.executor import CannotLaunch, Executor
from airlock_server.launching.local.parsing import log_name
from airlock_wire import workload
from airlock_wire.dags.schedule import AssetOrTime, Custom, Schedule
from airlock_wire.protocol.timetables import Answer, Question, TimetableRequest, TimetableResult
from airlock_wire.record import Reason, Record

#: How long the sidecar's end and the processes around the answers may take, beyond the answers themselves.
_AROUND_SECONDS: Final = 30.0


class TimetableSource(msgspec.Struct, frozen=True, kw_only=True):
    """
    The timetable to ask: that of a DAG in a file, or one of a class. The file is relative to the bundle, whose name is
    ``bundle``. ``seconds`` is how long all answers together may take.
    """

    bundle: str
    file: str
    seconds: float
    dag_id: str = ""
    classpath: str = ""
    data: dict[str, Any] = {}

    def work(self, questions: list[Question]) -> workload.Timetable:
        """Returns what the sidecar is given. Pure."""
        request = TimetableRequest(
            questions=questions,
            bundle_name=self.bundle,
            file=self.file,
            dag_id=self.dag_id,
            classpath=self.classpath,
            data=self.data,
        )
        path = f"timetable/{log_name(self.file or self.classpath)}.log"
        return workload.Timetable(request=request, log_path=path, timeout_seconds=self.seconds)


def own_timetable(schedule: Schedule) -> Custom | None:
    """Returns the author's own timetable in a schedule, if it has one. Pure."""
    if isinstance(schedule, AssetOrTime):
        return own_timetable(schedule.timetable)
    return schedule if isinstance(schedule, Custom) else None


def ask(executor: Executor, source: TimetableSource, questions: list[Question]) -> list[Answer]:
    """
    Returns an answer for each question, in order. An error of the author's code is in its answer; one that ends the
    process, or takes too long, is in all of them.
    """
    try:
        launch = executor.launch(
            source.work(questions), token="", seconds=source.seconds + _AROUND_SECONDS, bundle=source.bundle
        )
    except CannotLaunch as e:
        return [Answer(error=f"{source.file or source.classpath}: {e}")] * len(questions)
    return answers_of(source, launch.record, launch.answer, len(questions))


def answers_of(source: TimetableSource, record: Record | None, data: bytes | None, count: int) -> list[Answer]:
    """Returns what a launch came to. ``data`` is what the runner answered, None if it did not; user code wrote it."""
    place = source.file or source.classpath
    if data is None:
        return [Answer(error=f"{place}: {_without_answer(record, source.seconds)}")] * count
    try:
        answers = msgspec.json.decode(data, type=TimetableResult).answers
    except (msgspec.MsgspecError, RecursionError) as e:
        return [Answer(error=f"{place}: InvalidAnswer: {e}")] * count
    if len(answers) != count:
        return [Answer(error=f"{place}: InvalidAnswer: {len(answers)} answers to {count} questions")] * count
    return answers


def _without_answer(record: Record | None, seconds: float) -> str:
    if record is not None and record.reason is Reason.TIMED_OUT:
        return (
            f"TimetableTimeout: it took longer than {seconds:g} s to answer and was stopped; compute no more than the "
            "dates in a timetable, or set AIRLOCK__PARSE__TIMEOUT_SECONDS"
        )
    how = f": {record.message}" if record is not None and record.message else ""
    return f"TimetableCrashed: the process that asked it ended without an answer{how}; see its output above"
