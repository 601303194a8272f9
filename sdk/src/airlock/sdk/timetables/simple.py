"""Timetables without arguments."""

from airlock.sdk.timetables.definition import BaseTimetable


class NullTimetable(BaseTimetable):
    """No run but those that somebody starts: ``schedule=None``."""

    can_be_scheduled = False


class OnceTimetable(BaseTimetable):
    """One run, as soon as may be: ``schedule="@once"``."""


class ContinuousTimetable(BaseTimetable):
    """A run after the other, without a pause: ``schedule="@continuous"``."""

    active_runs_limit = 1
