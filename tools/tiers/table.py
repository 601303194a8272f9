"""
The table of tiers: command, needs, minutes, and what runs beside it. Pure.

The tiers of a stage run at the same time: those that are ``behind`` in the background, at a lower priority, and the
others one after the other. Stages come in the order in which a failure is cheapest to learn.
"""

from enum import StrEnum
from typing import NamedTuple

PYTEST = (".venvs/dev/bin/python", "-P", "-m", "pytest", "-q")
#: Tests of the cluster itself, which have it alone.
_CLUSTER = "tests/e2e/cluster"
_NO_AIRFLOW = "not airflow and not executor"
_SHARED = ("tests/api", "tests/e2e", f"--ignore={_CLUSTER}")


class Need(StrEnum):
    """Something that a tier cannot run without. ``needs`` meets it, or says why it cannot be met."""

    #: A user of its own for user code.
    ROOT = "root"
    #: Airflow itself, in an environment of its own.
    AIRFLOW = "airflow"
    #: A cluster with Airlock in it.
    CLUSTER = "cluster"


class Tier(NamedTuple):
    """One tier. ``minutes`` is about how long it takes on two cores, warm."""

    name: str
    stage: int
    command: tuple[str, ...]
    minutes: float
    needs: tuple[Need, ...] = ()
    behind: bool = False
    #: Environment variables of its own.
    env: tuple[tuple[str, str], ...] = ()

    @property
    def most_minutes(self) -> float:
        """The minutes after which the tier is ended, because something in it hangs."""
        return max(20.0, 4 * self.minutes)

    @property
    def tests(self) -> bool:
        """Whether it is a run of pytest, whose failed tests can be run again."""
        return self.command[: len(PYTEST)] == PYTEST


TIERS = (
    Tier("lint, types, import contracts", 1, ("scripts/lint.sh",), 1.0, behind=True),
    Tier("docs", 1, ("make", "--no-print-directory", "docs"), 0.5, behind=True),
    Tier("unit", 1, (*PYTEST, "tests/unit"), 1.5),
    Tier("repo", 1, (*PYTEST, "tests/repo"), 0.5),
    # Four at a time: most of this tier waits for outages and deadlines to pass.
    Tier(
        "component", 2,
        (*PYTEST, "-n", "4", "--dist", "worksteal", "tests/component", "--ignore=tests/component/isolation"), 7.5,
    ),
    Tier("component, as root", 2, (*PYTEST, "tests/component/isolation"), 2.5, needs=(Need.ROOT,), behind=True),
    Tier("demo", 2, ("make", "--no-print-directory", "demo"), 0.3),
    # It runs by itself: on a busy machine Airflow's own scheduler fails launches ("state mismatch").
    Tier("contract, beside a running Airflow", 3, (*PYTEST, "tests/contract/peer"), 4.0, needs=(Need.AIRFLOW,)),
    # Two sessions share the cluster (tests/kube/place.py): the tests that need a real Airflow mostly wait for it.
    Tier("e2e, Airflow", 4, (*PYTEST, *_SHARED, "-m", "airflow"), 12.0, needs=(Need.CLUSTER,), behind=True),
    Tier(
        "api, e2e", 4,
        (*PYTEST, "-n", "2", "--dist", "loadfile", *_SHARED, "-m", f"not alone and not last and {_NO_AIRFLOW}"),
        7.5, needs=(Need.CLUSTER,),
    ),
    # Tests that have the cluster alone mostly wait, and leave half of this machine to others.
    Tier(
        "contract", 5, (*PYTEST, "-n", "2", "tests/contract", "--ignore=tests/contract/peer"), 5.0,
        needs=(Need.AIRFLOW,), behind=True,
    ),
    Tier(
        "e2e, alone", 5, (*PYTEST, *_SHARED[1:], "-m", f"(alone or last) and {_NO_AIRFLOW}"), 6.0,
        needs=(Need.CLUSTER,),
    ),
    # A second Airflow, with our executor and its own ones beside it: two at a time are more than two cores bear.
    Tier("e2e, executor", 6, (*PYTEST, "tests/e2e/executor"), 6.0, needs=(Need.CLUSTER,)),
    # They run by themselves: they restart the cluster's components and bring it up anew, within deadlines.
    Tier("the cluster itself", 7, (*PYTEST, _CLUSTER), 4.0, needs=(Need.CLUSTER,)),
)  # fmt: skip

#: The long forms: many of what CI tries once, whole matrices, and the fuzzer for long.
SOAK = (
    Tier(
        "soak, component", 1, (*PYTEST, "-n", "2", "tests/component", "-m", "soak"), 10.0, env=(("AIRLOCK_SOAK", "1"),)
    ),
    Tier(
        "soak, fuzz", 2, (*PYTEST, "tests/component/sidecar/test_sidecar_fuzz.py"), 10.0,
        env=(("AIRLOCK_FUZZ_FRAMES", "1000000"),),
    ),
    # Thousands of calls that are made from Airflow's OpenAPI document, to our server on PostgreSQL.
    Tier(
        "soak, contract", 2, (*PYTEST, "tests/contract/difference", "-m", "soak"), 30.0, needs=(Need.AIRFLOW,),
        env=(("AIRLOCK_SOAK", "1"),),
    ),
    # Every example DAG of Airflow, run by us and by Airflow.
    Tier(
        "soak, examples", 2, (*PYTEST, "tests/contract/examples", "-m", "soak"), 20.0, needs=(Need.AIRFLOW,),
        env=(("AIRLOCK_SOAK", "1"),),
    ),
    # Storms on a busy node, nodes that die, clocks that are wrong by an hour.
    Tier(
        "soak, e2e", 3, (*PYTEST, "-s", *_SHARED[1:], "-m", "soak"), 90.0, needs=(Need.CLUSTER,),
        env=(("AIRLOCK_SOAK", "1"),),
    ),
)  # fmt: skip

#: Every DAG of the zoo, under our executor and both of Airflow's own; then longer losses than CI has time for.
ZOO = (
    Tier(
        "zoo", 1, (*PYTEST, "-s", "tests/e2e/executor/test_zoo.py"), 30.0, needs=(Need.CLUSTER,),
        env=(("AIRLOCK_ZOO", "1"),),
    ),
    Tier(
        "zoo, losses", 2, (*PYTEST, "tests/e2e/executor/test_losses.py"), 20.0, needs=(Need.CLUSTER,),
        env=(("AIRLOCK_SOAK", "1"),),
    ),
)  # fmt: skip

#: The words on the command line that stand for several tiers. A tier's own name is a word too.
GROUPS: dict[str, tuple[Tier, ...]] = {
    "all": TIERS,
    "e2e": tuple(tier for tier in TIERS if Need.CLUSTER in tier.needs),
    "soak": SOAK,
    "zoo": ZOO,
}


class UnknownTier(Exception):
    """A word names neither a group nor a tier; the text lists the known ones."""


def chosen(words: list[str]) -> tuple[Tier, ...]:
    """Returns the tiers that the words name, in the table's order; without a word, all. Raises UnknownTier."""
    tiers = {tier.name: tier for tier in (*TIERS, *SOAK, *ZOO)}
    names: set[str] = set()
    for word in words or ["all"]:
        if word in GROUPS:
            names |= {tier.name for tier in GROUPS[word]}
        elif word in tiers:
            names.add(word)
        else:
            raise UnknownTier(f"no tier is called {word!r}; there are {', '.join((*GROUPS, *map(repr, tiers)))}")
    return tuple(tier for name, tier in tiers.items() if name in names)


def stages(tiers: tuple[Tier, ...]) -> list[tuple[Tier, ...]]:
    """Returns the tiers by stage, in order."""
    numbers = sorted({tier.stage for tier in tiers})
    return [tuple(tier for tier in tiers if tier.stage == number) for number in numbers]
