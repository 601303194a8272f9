"""Priority strategies: what a task weighs beside others that wait for a slot."""

import abc
from typing import Any


class PriorityWeightStrategy(abc.ABC):
    """The base of an author's own strategies. They have no fields: a DAG keeps the class alone."""

    @abc.abstractmethod
    def get_weight(self, ti: Any) -> int:
        """Returns the weight of a task instance; the heaviest is started first."""

    def __eq__(self, other: object) -> bool:
        """Tells whether the other is of the same class, or of one derived from it."""
        return isinstance(other, type(self))

    def __hash__(self) -> int:
        """Returns the hash of every strategy."""
        return hash(PriorityWeightStrategy)
