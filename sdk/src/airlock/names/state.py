"""The states and rules of Airflow's core, by its old names: as those of the SDK, but their text is their value."""

from enum import Enum
from typing import Any, ClassVar

from airlock.sdk.basis import rules, states


class _Word(str, Enum):  # noqa: UP042 - a StrEnum's members could not be made below
    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def is_valid(cls, value: str) -> bool:
        """Tells whether there is such a rule."""
        return value in cls.__members__.values()

    @classmethod
    def all_triggers(cls) -> set[Any]:
        """Returns every rule."""
        return set(cls.__members__.values())

    all_weight_rules = all_triggers


class _RunType(_Word):
    def generate_run_id(self, *, suffix: str) -> str:
        """Returns the id of a run of this type: the type's word, and what tells its runs apart."""
        return f"{self}__{suffix}"

    @classmethod
    def from_run_id(cls, run_id: str) -> Any:
        """Returns the type that an id begins with; ``manual`` for any other id."""
        return next((each for each in cls if run_id and run_id.startswith(f"{each}__")), cls("manual"))


def _of(name: str, members: dict[str, str], make: Any = _Word) -> Any:
    return make(name, members, module=__name__)


def _members(kind: type[Enum]) -> dict[str, str]:
    return {member.name: member.value for member in kind}


TriggerRule = _of("TriggerRule", _members(rules.TriggerRule))
WeightRule = _of("WeightRule", _members(rules.WeightRule))
TaskInstanceState = _of("TaskInstanceState", _members(states.TaskInstanceState))
DagRunState = _of("DagRunState", _members(states.DagRunState))
DagRunType = _of(
    "DagRunType",
    # Its one name that differs.
    {name.replace("BACKFILL", "BACKFILL_JOB"): value for name, value in _members(states.DagRunType).items()},
    _RunType,
)
_CALLBACK = ("SCHEDULED", "PENDING", "QUEUED", "RUNNING", "SUCCESS", "FAILED")
CallbackState = _of("CallbackState", {name: name.lower() for name in _CALLBACK})
_TERMINAL = ("SUCCESS", "FAILED", "SKIPPED", "UPSTREAM_FAILED", "REMOVED")
TerminalTIState = _of("TerminalTIState", {name: name.lower() for name in _TERMINAL})
IntermediateTIState = _of(
    "IntermediateTIState",
    {
        name: value
        for name, value in _members(states.TaskInstanceState).items()
        if name not in _TERMINAL and name != "RUNNING"
    },
)


class State:
    """The states of task instances as constants, and the sets of them that have a name."""

    SUCCESS = TaskInstanceState.SUCCESS
    RUNNING = TaskInstanceState.RUNNING
    FAILED = TaskInstanceState.FAILED
    NONE = None
    REMOVED = TaskInstanceState.REMOVED
    SCHEDULED = TaskInstanceState.SCHEDULED
    QUEUED = TaskInstanceState.QUEUED
    RESTARTING = TaskInstanceState.RESTARTING
    UP_FOR_RETRY = TaskInstanceState.UP_FOR_RETRY
    UP_FOR_RESCHEDULE = TaskInstanceState.UP_FOR_RESCHEDULE
    UPSTREAM_FAILED = TaskInstanceState.UPSTREAM_FAILED
    SKIPPED = TaskInstanceState.SKIPPED
    DEFERRED = TaskInstanceState.DEFERRED
    AWAITING_INPUT = TaskInstanceState.AWAITING_INPUT

    task_states: ClassVar[tuple[Any, ...]] = (None, *TaskInstanceState)
    dag_states: ClassVar[tuple[Any, ...]] = (
        DagRunState.QUEUED,
        DagRunState.SUCCESS,
        DagRunState.RUNNING,
        DagRunState.FAILED,
    )
    finished_dr_states: ClassVar[frozenset[Any]] = frozenset({DagRunState.SUCCESS, DagRunState.FAILED})
    unfinished_dr_states: ClassVar[frozenset[Any]] = frozenset({DagRunState.QUEUED, DagRunState.RUNNING})
    finished: ClassVar[frozenset[Any]] = frozenset({SUCCESS, FAILED, SKIPPED, UPSTREAM_FAILED, REMOVED})
    unfinished: ClassVar[frozenset[Any]] = frozenset(set(task_states) - finished)
    failed_states: ClassVar[frozenset[Any]] = frozenset({FAILED, UPSTREAM_FAILED})
    success_states: ClassVar[frozenset[Any]] = frozenset({SUCCESS, SKIPPED})
