"""Branches: tasks that choose which of the tasks after them run."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.bases.skipmixin import SkipMixin

if TYPE_CHECKING:
    from airlock.sdk.definitions.context import Context


class BranchMixIn(SkipMixin):
    """Follows some of the tasks after it and skips the others."""

    def do_branch(
        self, context: "Context", branches_to_execute: str | Iterable[str] | None
    ) -> str | Iterable[str] | None:
        """Follows tasks or groups, by id; None skips everything directly after this task. Returns what it was given."""
        ti = context["ti"]
        if branches_to_execute is None:
            self.skip_all_except(ti, None)
        else:
            self.skip_all_except(ti, list(self._expand_task_group_roots(ti, branches_to_execute)))
        return branches_to_execute

    def _expand_task_group_roots(self, ti: Any, branches: Any) -> Iterator[Any]:
        """Yields the ids; for a group, those of its first tasks."""
        groups = ti.task.dag.task_group_dict
        for each in [branches] if isinstance(branches, str) or not isinstance(branches, Iterable) else branches:
            group = groups.get(each) if isinstance(each, str) else None
            if group is None:
                yield each
            else:
                yield from (root.task_id for root in group.roots)


class BaseBranchOperator(BaseOperator, BranchMixIn):
    """A task that branches: override ``choose_branch``."""

    def choose_branch(self, context: "Context") -> str | Iterable[str] | None:
        """Returns the ids of the tasks or groups to follow; None for none."""
        raise NotImplementedError

    def execute(self, context: "Context") -> Any:
        """Follows what ``choose_branch`` returns."""
        return self.do_branch(context, self.choose_branch(context))
