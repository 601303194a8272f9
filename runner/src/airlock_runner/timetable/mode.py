"""
Timetable mode: answers a scheduler's questions by the author's classes.

What the author's code raises is an answer too, with file and line, and the other questions are answered all the same.
"""

import os
from functools import partial

from airlock_runner.load import failure_of
from airlock_runner.timetable.answers import answer_to
from airlock_runner.timetable.loading import Source
from airlock_wire.protocol.timetables import Answer, Question, TimetableRequest, TimetableResult


def answer(request: TimetableRequest, root: str) -> TimetableResult:
    """Returns the answers. ``root`` is where the bundle is in this container."""
    source = Source(request, root)
    return TimetableResult(answers=list(map(partial(_answer, source, os.getpid()), request.questions)))


def _answer(source: Source, pid: int, question: Question) -> Answer:
    try:
        return answer_to(question, source)
    except BaseException as e:
        if os.getpid() != pid:
            raise
        return Answer(error=failure_of(e, source.root))
