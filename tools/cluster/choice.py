"""Which cluster the tests get: one that is there, kind, or a bare node. The decision is pure; the facts come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What marks a cluster as one that tests may change: a label of the namespace `kube-system`.
MARK = "airlock.dev/test-cluster"

Choice = Literal["foreign", "kind", "bare"]


class ChoiceError(RuntimeError):
    """No cluster can be had here; the text says what each way lacks."""


@dataclass(frozen=True)
class Facts:
    """
    What was found out.

    ``kubeconfig`` is KUBECONFIG's value; ``marked`` whether its cluster carries the mark; ``forced`` is
    AIRLOCK_CLUSTER's value, which forces a way; ``no_kind`` and ``no_bare`` say why a way is closed, or nothing.
    """

    kubeconfig: str = ""
    marked: bool = False
    forced: str = ""
    no_kind: str = ""
    no_bare: str = ""


def choose(facts: Facts) -> Choice:
    """Returns the way to take; raises ChoiceError."""
    if facts.forced not in ("", "kind", "bare"):
        raise ChoiceError(f"AIRLOCK_CLUSTER is {facts.forced!r}; it can be kind or bare")
    if facts.kubeconfig:
        if facts.marked:
            return "foreign"
        raise ChoiceError(
            f"KUBECONFIG={facts.kubeconfig} is not marked as a test cluster (or does not answer), so nothing was done. "
            f"Unset KUBECONFIG, or mark the cluster: kubectl label namespace kube-system {MARK}=true"
        )
    if facts.forced != "bare" and not facts.no_kind:
        return "kind"
    if facts.forced != "kind" and not facts.no_bare:
        return "bare"
    raise ChoiceError(
        f"no cluster can be had here. kind: {facts.no_kind or 'not wanted'}; bare node: {facts.no_bare or 'not wanted'}"
    )
