"""
Trigger rules: whether a task may run, and whether it never will, by the states of the tasks directly before it.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from airlock_wire.dags.words import TriggerRule
from airlock_wire.states import TaskInstanceState


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """
    The instances before a task that matter to one of its instances, by state. ``total`` also counts unfinished ones.
    """

    success: int = 0
    skipped: int = 0
    failed: int = 0
    upstream_failed: int = 0
    removed: int = 0
    total: int = 0
    setup_success: int = 0
    setup_skipped: int = 0
    setup_total: int = 0

    @property
    def done(self) -> int:
        """How many have finished."""
        return self.success + self.skipped + self.failed + self.upstream_failed + self.removed

    @property
    def all_done(self) -> bool:
        """Whether all have finished."""
        return self.done >= self.total

    @property
    def bad(self) -> int:
        """How many failed, or did not run because others failed."""
        return self.failed + self.upstream_failed


class Verdict(msgspec.Struct, frozen=True):
    """``state``: what the instance becomes now instead of running; None if it waits or runs."""

    passes: bool
    state: TaskInstanceState | None = None


_SKIPPED: Final = TaskInstanceState.SKIPPED
_UPSTREAM_FAILED: Final = TaskInstanceState.UPSTREAM_FAILED
_REMOVED: Final = TaskInstanceState.REMOVED
_WAITS: Final = Verdict(passes=False)


def evaluate(rule: TriggerRule, counts: Counts, map_index: int) -> Verdict:
    """Returns what a rule says of an instance whose task has tasks before it."""
    state, passes = _RULES[rule]
    end = state(counts, map_index)
    return Verdict(end is None and passes(counts), end)


def evaluate_setups(counts: Counts, map_index: int) -> Verdict:
    """Returns what setups before a task, but not directly before it, say of its instance, whatever its rule is."""
    if counts.bad:
        return Verdict(passes=False, state=_UPSTREAM_FAILED)
    if counts.skipped:
        return Verdict(passes=False, state=_SKIPPED)
    if _beyond(counts, map_index):
        return Verdict(passes=False, state=_REMOVED)
    removed = counts.removed if map_index >= 0 else 0
    return Verdict(counts.total - counts.success - removed <= 0)


def _beyond(counts: Counts, map_index: int) -> bool:
    """Tells whether the instance has no counterpart any more, because its indexes became fewer."""
    return counts.removed > 0 and 0 < counts.success <= map_index


_End = TaskInstanceState | None


def _all_success(c: Counts, map_index: int) -> _End:
    if c.bad:
        return _UPSTREAM_FAILED
    if c.skipped:
        return _SKIPPED
    return _REMOVED if _beyond(c, map_index) else None


def _all_failed(c: Counts, _: int) -> _End:
    return _SKIPPED if c.success or c.skipped else None


def _never(_: Counts, __: int) -> _End:
    return None


def _all_done_min_one_success(c: Counts, _: int) -> _End:
    if c.skipped:
        return _SKIPPED
    return _UPSTREAM_FAILED if c.all_done and not c.success else None


def _all_done_setup_success(c: Counts, _: int) -> _End:
    if not (c.all_done and c.setup_total):
        return None
    if c.setup_skipped >= c.setup_total:
        return _SKIPPED
    return None if c.setup_success else _UPSTREAM_FAILED


def _one_success(c: Counts, _: int) -> _End:
    if not c.all_done or c.success:
        return None
    return _SKIPPED if c.done == c.skipped else _UPSTREAM_FAILED


def _one_failed(c: Counts, _: int) -> _End:
    return _SKIPPED if c.all_done and not c.bad else None


def _one_done(c: Counts, _: int) -> _End:
    return _SKIPPED if c.all_done and not (c.failed or c.success) else None


def _none_failed(c: Counts, _: int) -> _End:
    return _UPSTREAM_FAILED if c.bad else None


def _none_failed_min_one_success(c: Counts, _: int) -> _End:
    if c.bad:
        return _UPSTREAM_FAILED
    if c.skipped == c.total:
        return _SKIPPED
    return _UPSTREAM_FAILED if c.all_done and not c.success else None


def _none_skipped(c: Counts, _: int) -> _End:
    return _SKIPPED if c.skipped else None


def _all_skipped(c: Counts, _: int) -> _End:
    return _SKIPPED if c.success or c.bad else None


_R = TriggerRule
#: For each rule: which state it gives instead of a run, and when it lets the task run.
_RULES: Final[dict[TriggerRule, tuple[Callable[[Counts, int], _End], Callable[[Counts], bool]]]] = {
    _R.ALL_SUCCESS: (_all_success, lambda c: c.total - c.success - c.removed <= 0),
    _R.ALL_FAILED: (_all_failed, lambda c: c.total - c.bad - c.removed <= 0),
    _R.ALL_DONE: (_never, lambda c: c.all_done),
    _R.ALL_DONE_MIN_ONE_SUCCESS: (_all_done_min_one_success, lambda c: not c.skipped and c.all_done and c.success > 0),
    _R.ALL_DONE_SETUP_SUCCESS: (
        _all_done_setup_success,
        lambda c: c.all_done and (not c.setup_total or c.setup_success > 0),
    ),
    _R.ONE_SUCCESS: (_one_success, lambda c: c.success > 0),
    _R.ONE_FAILED: (_one_failed, lambda c: c.bad > 0),
    _R.ONE_DONE: (_one_done, lambda c: c.success + c.failed > 0),
    _R.NONE_FAILED: (_none_failed, lambda c: c.total - c.success - c.skipped - c.removed <= 0),
    _R.NONE_FAILED_MIN_ONE_SUCCESS: (
        _none_failed_min_one_success,
        lambda c: c.total - c.success - c.skipped - c.removed <= 0 and c.success > 0,
    ),
    _R.NONE_SKIPPED: (_none_skipped, lambda c: c.all_done and not c.skipped),
    _R.ALL_SKIPPED: (_all_skipped, lambda c: c.total - c.skipped <= 0),
    _R.ALWAYS: (_never, lambda _: True),
}
