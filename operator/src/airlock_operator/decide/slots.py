"""
Decides which TaskRuns may begin an attempt, where an administrator limits how many are under way. No I/O.

A TaskRun holds a slot from the decision to make its pod until its runner has ended. A pod that a scheduling gate holds
back, Kueue's for example, holds no slot. Namespaces share fairly: the next slot goes to the namespace that has the
fewest. Within a namespace it goes by ``spec.priority``, then by age.

Who holds a slot is noted at each turn from what is seen, so a count cannot drift.
"""

from typing import NamedTuple

import msgspec

from airlock_operator.observe.sightings import Key


class Limits(msgspec.Struct, frozen=True):
    """How many TaskRuns may be under way in all and in each namespace; 0 for any number."""

    everywhere: int = 0
    namespace: int = 0
    #: Namespaces with a limit of their own.
    named: dict[str, int] = {}

    @property
    def any(self) -> bool:
        """Whether there is a limit."""
        return bool(self.everywhere or self.namespace or self.named)

    def of(self, namespace: str) -> int:
        """Returns a namespace's limit, 0 for any number."""
        return self.named.get(namespace, self.namespace)


class _Place(NamedTuple):
    """A place in a namespace's line: the smallest is next."""

    behind: int
    created: str
    key: Key


class Slots:
    """The slots of one operator. Without a limit it lets everybody through and remembers nothing."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._holders: dict[str, set[Key]] = {}
        self._line: dict[str, dict[Key, _Place]] = {}
        #: TaskRuns that were listed and not looked at yet: any of them may hold a slot. None before the first list.
        self._unseen: set[Key] | None = None

    def expect(self, keys: set[Key]) -> None:
        """Notes the TaskRuns of the first list; nobody is let through before each was looked at."""
        self._unseen = set(keys) if self._limits.any else set()

    def note(self, key: Key, *, holds: bool, waits: bool = False) -> list[Key]:
        """
        Notes whether a TaskRun holds a slot, or waits for one; returns who may begin because of that.
        """
        if not self._limits.any:
            return []
        opened = not waits and self._leave(key)
        if self._unseen and key in self._unseen:
            self._unseen.discard(key)
            opened = opened or not self._unseen
        holders = self._holders.setdefault(key.namespace, set())
        if holds:
            holders.add(key)
        elif key in holders:
            holders.discard(key)
            opened = True
        return self._next() if opened else []

    def forget(self, key: Key) -> list[Key]:
        """Forgets a TaskRun that is over or gone; returns who may begin because of that."""
        return self.note(key, holds=False)

    def ask(self, key: Key, priority: int, created: str) -> str:
        """Takes a slot for a TaskRun and returns ""; or takes a place in line and returns why it must wait."""
        if not self._limits.any or key in self._holders.get(key.namespace, ()):
            return ""
        self._line.setdefault(key.namespace, {})[key] = _Place(-priority, created, key)
        if self._unseen is None or self._unseen:
            return "the operator has begun a moment ago, and looks first at what is under way"
        if key in self._next():
            self._holders.setdefault(key.namespace, set()).add(key)
            self._leave(key)
            return ""
        return self._why(key)

    def counts(self) -> tuple[int, int]:
        """Returns how many TaskRuns hold a slot, and how many wait for one."""
        return sum(map(len, self._holders.values())), sum(map(len, self._line.values()))

    def _leave(self, key: Key) -> bool:
        line = self._line.get(key.namespace)
        if line is None or line.pop(key, None) is None:
            return False
        if not line:
            del self._line[key.namespace]
        return True

    def _next(self) -> list[Key]:
        """Returns those in line for whom there is a slot, the next one first."""
        if self._unseen is None or self._unseen:
            return []
        counts = {namespace: len(holders) for namespace, holders in self._holders.items()}
        free = self._limits.everywhere - sum(counts.values()) if self._limits.everywhere else None
        lines = {namespace: sorted(line.values(), reverse=True) for namespace, line in self._line.items()}
        chosen: list[Key] = []
        while lines and (free is None or len(chosen) < free):
            namespace = min(lines, key=lambda name: (counts.get(name, 0), lines[name][-1].created, name))
            limit = self._limits.of(namespace)
            if limit and counts.get(namespace, 0) >= limit:
                del lines[namespace]
                continue
            chosen.append(lines[namespace].pop().key)
            counts[namespace] = counts.get(namespace, 0) + 1
            if not lines[namespace]:
                del lines[namespace]
        return chosen

    def _why(self, key: Key) -> str:
        line = sorted(self._line[key.namespace].values())
        place = 1 + next(n for n, each in enumerate(line) if each.key == key)
        limit, here = self._limits.of(key.namespace), len(self._holders.get(key.namespace, ()))
        if limit and here >= limit:
            return (
                f"{here} of {limit} TaskRuns are under way in namespace {key.namespace}; it is number {place} in line"
            )
        everywhere = sum(len(holders) for holders in self._holders.values())
        most = self._limits.everywhere
        return (
            f"{everywhere} of {most} TaskRuns are under way in all namespaces; it is number {place} in line of "
            f"namespace {key.namespace}"
        )
