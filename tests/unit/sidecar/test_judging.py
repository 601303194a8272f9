"""The verdict on every launch: a table of facts, and the proof that there is always one."""

import itertools

import pytest

from airlock_sidecar.lifecycle import judging
from airlock_sidecar.lifecycle.judging import Facts, judge
from airlock_sidecar.state.stops import Stop
from airlock_wire.record import Exit, Reason

BASE = Facts(
    reported=None, parsed=False, exit=Exit(code=1), signalled=False, stopped="", connected=True, should_retry=False,
    judges=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason", "report"),
    [
        ({"reported": "success"}, Reason.SUCCEEDED, None),
        ({"reported": "skipped"}, Reason.SKIPPED, None),
        ({"reported": "failed"}, Reason.FAILED, None),
        ({"reported": "removed"}, Reason.FAILED, None),
        ({"reported": "up_for_retry"}, Reason.RETRY, None),
        ({"reported": "deferred"}, Reason.DEFERRED, None),
        ({"reported": "deferred", "signalled": True}, Reason.DEFERRED, None),
        ({"reported": "up_for_reschedule"}, Reason.RESCHEDULED, None),
        ({"reported": "awaiting_input"}, Reason.AWAITING_INPUT, None),
        ({"reported": "success", "exit": None}, Reason.SUCCEEDED, None),
        ({"reported": "success", "signalled": True}, Reason.SUCCEEDED, None),
        ({"reported": "skipped", "signalled": True}, Reason.SKIPPED, None),
        ({"reported": "failed", "signalled": True}, Reason.FAILED, None),
        ({"reported": "up_for_retry", "signalled": True}, Reason.RETRY, None),
        ({"signalled": True}, Reason.INTERRUPTED, None),
        ({"signalled": True, "exit": None}, Reason.INTERRUPTED, None),
        ({"exit": None}, Reason.VANISHED, None),
        ({}, Reason.CRASHED, "failed"),
        ({"should_retry": True}, Reason.CRASHED, "up_for_retry"),
        ({"judges": False}, Reason.CRASHED, None),
        ({"exit": Exit(code=0)}, Reason.CRASHED, "failed"),
        ({"exit": Exit(signal=9, oom=True)}, Reason.OOM_KILLED, "failed"),
        ({"stopped": Stop.TIMED_OUT}, Reason.TIMED_OUT, "failed"),
        ({"stopped": Stop.TIMED_OUT, "exit": None, "should_retry": True}, Reason.TIMED_OUT, "up_for_retry"),
        ({"stopped": Stop.TIMED_OUT, "reported": "up_for_retry"}, Reason.TIMED_OUT, None),
        ({"stopped": Stop.TIMED_OUT, "reported": "success"}, Reason.SUCCEEDED, None),
        ({"stopped": Stop.SUPERSEDED, "reported": "success"}, Reason.SUPERSEDED, None),
        ({"stopped": Stop.TOKEN_EXPIRED}, Reason.TOKEN_EXPIRED, None),
        ({"stopped": Stop.ALREADY_FINISHED}, Reason.ALREADY_FINISHED, None),
        ({"stopped": Stop.REJECTED}, Reason.REJECTED, None),
        ({"stopped": Stop.DENIED}, Reason.DENIED, None),
        ({"stopped": Stop.DENIED, "connected": False, "exit": None}, Reason.DENIED, None),
        ({"stopped": Stop.BROKE_PROTOCOL}, Reason.CRASHED, "failed"),
        ({"stopped": Stop.BROKE_PROTOCOL, "reported": "success"}, Reason.SUCCEEDED, None),
        ({"parsed": True, "mode": "parse", "exit": None}, Reason.PARSED, None),
        ({"parsed": True, "mode": "trigger", "exit": None}, Reason.FIRED, None),
        ({"parsed": True, "mode": "timetable", "exit": None}, Reason.ANSWERED, None),
        ({"stopped": Stop.TIMED_OUT, "mode": "trigger", "judges": False}, Reason.TIMED_OUT, None),
        ({"connected": False, "exit": None}, Reason.RUNNER_NEVER_CONNECTED, None),
    ],
)
def test_the_verdict(changes, reason, report):
    verdict = judge(BASE._replace(**changes))

    assert (reason, report) == (verdict.reason, verdict.report)


def test_every_combination_of_facts_has_a_verdict_and_never_two_reports():
    reported = (
        None, "success", "skipped", "failed", "removed", "up_for_retry", "deferred", "up_for_reschedule", "awaiting_input"
    )  # fmt: skip
    exits = (None, Exit(code=0), Exit(code=3), Exit(signal=9), Exit(signal=9, oom=True))
    stops = ("", Stop.SUPERSEDED, Stop.ALREADY_FINISHED, Stop.TOKEN_EXPIRED, Stop.REJECTED,
             Stop.DENIED, Stop.TIMED_OUT, Stop.BROKE_PROTOCOL)  # fmt: skip
    flags = (False, True)
    for combination in itertools.product(reported, flags, exits, flags, stops, flags, flags, flags):
        facts = Facts(*combination)
        verdict = judge(facts)
        # What the runner reported is never reported again, unless it was withheld, which is the owner's then.
        assert verdict.report is None or (facts.judges and facts.reported is None)
        # A launch that is not ours any more reports nothing.
        assert facts.stopped != Stop.SUPERSEDED or verdict.report is None


STATES = [
    "success", "skipped", "failed", "removed", "up_for_retry", "deferred", "up_for_reschedule", "awaiting_input",
]  # fmt: skip
STOPS = {
    "nothing stopped it": {"signalled": False, "stopped": ""},
    "cancelled, evicted, Ctrl-C": {"signalled": True, "stopped": ""},
    "took too long": {"signalled": False, "stopped": Stop.TIMED_OUT},
    "took too long, then evicted": {"signalled": True, "stopped": Stop.TIMED_OUT},
    "superseded": {"signalled": False, "stopped": Stop.SUPERSEDED},
    "finished already": {"signalled": False, "stopped": Stop.ALREADY_FINISHED},
    "token refused": {"signalled": False, "stopped": Stop.TOKEN_EXPIRED},
    "denied": {"signalled": False, "stopped": Stop.DENIED},
    "rejected": {"signalled": False, "stopped": Stop.REJECTED},
    "broke the protocol": {"signalled": False, "stopped": Stop.BROKE_PROTOCOL},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("stop", STOPS)
def test_no_answer_of_a_task_that_was_told_to_stop_counts_but_a_failure_for_its_time(stop, state):
    counts = stop == "nothing stopped it" or (stop == "took too long" and state in ("failed", "up_for_retry"))

    assert counts == (not judging.withheld(state, **STOPS[stop]))


def test_a_time_out_names_the_limit_and_its_value():
    verdict = judge(BASE._replace(stopped=Stop.TIMED_OUT, limit=4.0))

    assert "the task ran longer than its execution_timeout of 4 s and was stopped" == verdict.message


def test_a_denial_says_what_the_server_said():
    verdict = judge(BASE._replace(stopped=Stop.DENIED, stopped_message="DAG 'd' belongs to 'bundle:x'"))

    assert "DAG 'd' belongs to 'bundle:x'" == verdict.message
