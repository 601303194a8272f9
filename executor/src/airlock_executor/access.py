"""
Reads an administrator's policy file and says what a DAG's tasks may ask the server for. Pure.

    rules:
      - dags: ["sales_*"]        # patterns of DAG ids; left out: every DAG
        tags: [finance]          # the DAG has one of these; left out: whatever tags it has
        access: {connections: ["sales_*"], variables: []}

The first rule that fits counts. A DAG that no rule fits is not narrowed, as in Airflow, unless ``default`` says so.
"""

from collections.abc import Set as AbstractSet

import msgspec

from airlock_wire.patterns import matches
from airlock_wire.taskrun import Access


class PolicyError(ValueError):
    """The policy file is wrong. The text says where, and what it must be."""


class GivenAccess(Access, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The lists of a rule; a name that is not a list of a TaskRun's is refused."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which DAGs, and what their tasks may ask for."""

    access: GivenAccess
    dags: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy file."""

    rules: tuple[Rule, ...] = ()
    default: GivenAccess | None = None

    @property
    def asks_for_tags(self) -> bool:
        """Whether a decision needs the DAG's tags."""
        return any(rule.tags is not None for rule in self.rules)


def read(text: str, path: str) -> Policy:
    """Returns the policy of a file in YAML or JSON; raises PolicyError."""
    try:
        return msgspec.yaml.decode(text, type=Policy)
    except msgspec.MsgspecError as e:
        raise PolicyError(
            f"policy file {path}: {e}; it must be rules, each with access and with dags, tags or both"
        ) from e


def access(policy: Policy, dag_id: str, tags: AbstractSet[str]) -> Access | None:
    """Returns what the tasks of a DAG may ask for; None if nothing is narrowed."""
    for rule in policy.rules:
        by_id = rule.dags is None or any(matches(pattern, dag_id) for pattern in rule.dags)
        by_tag = rule.tags is None or bool(tags & set(rule.tags))
        if by_id and by_tag:
            return rule.access
    return policy.default
