"""
Airflow's own runner behind our sidecar, against a real Airflow: what is left in its database and its logs is what
Airflow's own supervisor leaves, but for the differences listed here.
"""

import fnmatch
import json

import pytest
from contract.peer import remains

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ABSENT = "<absent>"


def becomes(theirs, ours):
    """One value is the other; ABSENT if it is missing."""
    return lambda value: ours if value == theirs else value


def all_ids(value):
    return [", ".join(remains.IDS)]


def without_the_last(value):
    return value[:-1]


_CRASHED = (
    "the executor's event says it on a real Airflow, so that callbacks and e-mail come: the sidecar judges nothing"
)
_SAID_BY_US = "our sidecar says how a runner crashed under its own name: SAID_BY_OUR_SIDECAR"

#: What differs: the names of facts, what theirs has to be changed to so that ours comes out, and why it is so. The
#: first entry that fits a name counts.
DIFFERENCES = {
    "logs/*/ids": (all_ids, "each line of ours names its task instance, whoever wrote it"),
    "logs/*/task_id=exit_with_3*/attempt=1.log/task/*": (without_the_last, _SAID_BY_US),
    "logs/*/task_id=killed/attempt=1.log/task/*": (without_the_last, _SAID_BY_US),
    "log/*/exit_with_3*/1/state mismatch/times": (becomes(ABSENT, 1), _CRASHED),
    "log/*/killed*/1/state mismatch/times": (becomes(ABSENT, 1), _CRASHED),
    "task_instance/*/exit_with_3*/next_kwargs": (becomes("null", None), _CRASHED),
    "task_instance/*/killed*/next_kwargs": (becomes("null", None), _CRASHED),
}  # fmt: skip

#: Whose log has lines of our sidecar's own: those whose runner ended without a word.
SAID_BY_OUR_SIDECAR = {"exit_with_0", "exit_with_3", "exit_with_3_once", "killed"}
_OUR_SIDECAR = "/airlock.sidecar/"


@pytest.fixture(scope="module")
def facts(ran):
    return remains.of(ran, "theirs"), remains.of(ran, "ours")


def rule_for(name):
    return next((pattern for pattern in DIFFERENCES if fnmatch.fnmatchcase(name, pattern)), None)


def expected(rule, there):
    """What ours must be by a rule. Only ``becomes`` knows of what is not there at all."""
    change = DIFFERENCES[rule][0]
    return there if there == ABSENT and change in (all_ids, without_the_last) else change(there)


def differing(theirs, ours):
    names = [name for name in theirs.keys() | ours.keys() if _OUR_SIDECAR not in name]
    return sorted(name for name in names if theirs.get(name, ABSENT) != ours.get(name, ABSENT))


def test_nothing_differs_that_is_not_listed(facts):
    theirs, ours = facts
    unlisted = {}
    for name in differing(theirs, ours):
        rule, there, here = rule_for(name), theirs.get(name, ABSENT), ours.get(name, ABSENT)
        if rule is None or expected(rule, there) != here:
            unlisted[name] = {"theirs": str(there)[:2000], "ours": str(here)[:2000], "listed as": rule}

    assert {} == unlisted, json.dumps(unlisted, indent=1)


def test_our_sidecar_says_how_a_runner_crashed_and_nothing_else(facts):
    _, ours = facts
    said = {name: lines for name, lines in ours.items() if name.endswith(f"{_OUR_SIDECAR}said")}

    assert SAID_BY_OUR_SIDECAR == {name.split("task_id=")[1].split("/")[0] for name in said}
    assert all(
        level == "error" and "before it reported a state" in text for lines in said.values() for level, text in lines
    )


def test_every_listed_difference_is_there(facts):
    assert [] == sorted(DIFFERENCES.keys() - {rule_for(name) for name in differing(*facts)})


def test_every_task_came_to_the_state_that_it_was_written_for(facts):
    _, ours = facts
    begins, ends = "task_instance/ours_outcomes/", "/state"
    states = {}
    for name, state in ours.items():
        if name.startswith(begins) and name.endswith(ends):
            states.setdefault(state, set()).add(name.removeprefix(begins).removesuffix(ends).removesuffix("[-1]"))

    assert {
        "success": {
            "succeed", "retry", "short_circuit", "branch", "taken", "exit_with_3_once", "large", "listed", "mapped[0]",
            "mapped[2]", "several", "total", "defer", "reschedule", "bash",
        },
        "failed": {
            "fail", "fail_by_another", "exit_with_3", "exit_with_0", "killed", "too_long", "mapped[1]",
            "defer_in_vain",
        },
        "skipped": {"skip", "skipped_by_it", "not_taken"},
    } == states  # fmt: skip


def test_there_is_something_to_compare_in_every_table(facts):
    for way in facts:
        assert {*remains.QUERIES, "logs"} == {name.partition("/")[0] for name in way}


def test_no_secret_is_in_any_log(ran):
    text = json.dumps([ran.logs(f"{way}_lookups") for way in ("theirs", "ours")])

    assert "***" in text
    for secret in ("open-sesame", "abra-cadabra", "let-me-in", "whisper-this"):
        assert secret not in text
