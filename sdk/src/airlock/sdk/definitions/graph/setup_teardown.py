"""
Scopes of setups and teardowns: ``with make_cluster() >> drop_cluster():``. Tasks that are made inside are the work
between the two, and get the arrows for that when the scope closes.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from airlock.sdk.definitions.graph.edges import DependencyMixin
from airlock.sdk.exceptions import AirlockException

if TYPE_CHECKING:
    from airlock.sdk.bases.abstract_operator import AbstractOperator


class Scope(msgspec.Struct):
    """One open scope. Its work is what was made in it, in order."""

    setups: "list[AbstractOperator]"
    teardowns: "list[AbstractOperator]"
    work: "list[AbstractOperator]"

    def add_task(self, task: Any) -> None:
        """Adds a task that was made elsewhere to the work."""
        if self not in _scopes:
            raise AirlockException("Cannot add a task to a scope that is closed; add it inside the `with` block")
        for each in getattr(task, "roots", [task]):
            _add(self, each)


_scopes: Final[list[Scope]] = []


def enter(opener: DependencyMixin) -> Scope:
    """Opens the scope of setups or teardowns. Raises AirlockException for other tasks, and ValueError for a mixture."""
    tasks: Any = list(opener.roots)
    if len({each.is_setup for each in tasks}) > 1 or len({each.is_teardown for each in tasks}) > 1:
        raise ValueError("All tasks in the list must be either setup or teardown tasks")
    if tasks[0].is_setup:
        scope = Scope(tasks, _near(tasks, upstream=False), [])
    elif tasks[0].is_teardown:
        scope = Scope(_near(tasks, upstream=True), tasks, [])
    else:
        raise AirlockException("Only setup/teardown tasks can be used as context managers.")
    _scopes.append(scope)
    return scope


def leave() -> None:
    """Closes the innermost scope: draws the arrows of its work, and those to the scope around it."""
    scope = _scopes.pop()
    if scope.work:
        roots = [task for task in scope.work if not task.upstream_task_ids] or scope.work[:1]
        leaves = [task for task in scope.work if not task.downstream_task_ids] or scope.work[-1:]
        _join(scope.setups, roots)
        _join(leaves, scope.teardowns)
    if _scopes:
        around = _scopes[-1]
        _join(around.setups, scope.setups)
        _join(scope.teardowns, around.teardowns)


def note(task: "AbstractOperator") -> None:
    """Notes a new task as work of the innermost scope, if one is open."""
    if _scopes:
        _add(_scopes[-1], task)


def _add(scope: Scope, task: "AbstractOperator") -> None:
    if not task.is_setup and not task.is_teardown and not any(task is each for each in scope.work):
        scope.work.append(task)


def _near(tasks: "Sequence[AbstractOperator]", *, upstream: bool) -> "list[AbstractOperator]":
    """Returns the teardowns that follow setups (or the setups before teardowns), at the least distance."""
    level: list[Any] = [each for task in tasks for each in task.get_direct_relatives(upstream)]
    seen = {task.node_id for task in tasks}
    while level:
        ends = [each for each in level if (each.is_setup if upstream else each.is_teardown)]
        if ends:
            return list({each.node_id: each for each in ends}.values())
        seen |= {each.node_id for each in level}
        level = [near for each in level for near in each.get_direct_relatives(upstream) if near.node_id not in seen]
    return []


def _join(before: "Iterable[AbstractOperator]", after: "Iterable[AbstractOperator]") -> None:
    targets = list(after)
    for one in before:
        for other in targets:
            # Work without tasks of its own may be a setup or teardown of the scope itself.
            if one is not other and not (other.is_setup and one.is_teardown):
                one.set_downstream(other)
