"""Which teams may write an asset and be scheduled by it."""

from collections.abc import Iterable
from typing import Any, Self


class AssetAccessControl:
    """
    Which teams may write an asset and be scheduled by it.

    ``producer_teams`` are the teams, besides the asset's own, whose tasks may write it. ``consumer_teams`` are those
    whose DAGs its events may start; None is every team. ``allow_global`` lets DAGs without a team use it too.
    """

    def __init__(
        self,
        producer_teams: Iterable[str] | None = None,
        consumer_teams: Iterable[str] | None = None,
        allow_global: bool = True,
    ) -> None:
        """Raises ValueError for a team's name that is blank, and TypeError if ``allow_global`` is not a bool."""
        self.producer_teams = _teams([] if producer_teams is None else producer_teams, "producer_teams")
        self.consumer_teams = None if consumer_teams is None else _teams(consumer_teams, "consumer_teams")
        if not isinstance(allow_global, bool):
            raise TypeError(f"AssetAccessControl: allow_global must be True or False, not {allow_global!r}")
        self.allow_global = allow_global

    def serialize(self) -> dict[str, Any]:
        """Returns the fields, as Airflow writes them."""
        return dict(zip(("producer_teams", "consumer_teams", "allow_global"), self._fields(), strict=True))

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:
        """Returns the access control of these fields; raises TypeError for those of a newer version."""
        if version:
            raise TypeError(f"an access control of version {version} is newer than version 0")
        return cls(**data)

    def _fields(self) -> tuple[Any, ...]:
        return (self.producer_teams, self.consumer_teams, self.allow_global)

    def __eq__(self, other: object) -> bool:
        """Tells whether both allow the same."""
        return isinstance(other, AssetAccessControl) and self._fields() == other._fields()

    def __hash__(self) -> int:
        """Returns a hash of what is allowed."""
        return hash(repr(self))

    def __repr__(self) -> str:
        """Returns the fields."""
        return "AssetAccessControl(producer_teams={!r}, consumer_teams={!r}, allow_global={!r})".format(*self._fields())


def _teams(value: Iterable[str], field: str) -> list[str]:
    teams = list(value)
    for team in teams:
        if not isinstance(team, str) or not team.strip():
            raise ValueError(f"AssetAccessControl: {field} holds {team!r}, which is not the name of a team")
    return teams
