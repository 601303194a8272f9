"""The rules that an operator is given by name: when it runs, and how its weight counts."""

from enum import Enum


class TriggerRule(str, Enum):  # noqa: UP042 - Airflow's rule shows as its name in `str()`
    """Which states of the direct upstream tasks let a task run."""

    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_SKIPPED = "none_skipped"
    ALWAYS = "always"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    ALL_SKIPPED = "all_skipped"


class WeightRule(str, Enum):  # noqa: UP042 - as above
    """Whose weights a task's priority adds up: those of the tasks after it, before it, or its own alone."""

    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"
    ABSOLUTE = "absolute"
