"""Options that a launch takes from its task: the sidecar acts on them, and puts them into its record."""

import pytest
from doubles.launcher import SUCCEED
from doubles.sidecar import work

from airlock_wire.options import TaskOptions
from airlock_wire.record import Reason

ALL = ("retries", "retry_delay", "execution_timeout")


@pytest.fixture
def launch(make_sidecar, make_launcher):
    """A launch that leaves these options to its task, begun; the runner's startup message with it."""

    def begin(*undecided, **more):
        sidecar = make_sidecar(work(undecided=undecided, **more)).start()
        launcher = make_launcher(sidecar)
        return sidecar, launcher, launcher.begin()

    return begin


def told(**options):
    return {"type": "SetRenderedFields", "rendered_fields": {}, "options": {"retries": 2, **options}}


def test_the_runner_is_asked_and_what_it_says_is_recorded(launch, api):
    sidecar, launcher, startup = launch(*ALL)
    launcher.ask(told(retry_delay_seconds=7.0, execution_timeout_seconds=60.0))
    launcher.ask(SUCCEED)
    launcher.exit()

    assert (list(ALL), 1) == (startup["undecided"], startup["first_try"])
    assert TaskOptions(retries=2, retry_delay_seconds=7.0, execution_timeout_seconds=60.0) == sidecar.end().options
    assert [{}] == [call.body for call in api.calls if call.path.endswith("/rtif")]


def test_a_runner_is_not_asked_where_everything_is_said(launch):
    sidecar, launcher, startup = launch(execution_timeout_seconds=60.0)
    launcher.ask(told())
    launcher.ask(SUCCEED)
    launcher.exit()

    assert not {"undecided", "first_try"} & set(startup)
    assert None is sidecar.end().options


@pytest.mark.parametrize(("retries", "state"), [(0, "failed"), (1, "up_for_retry")])
def test_a_crash_is_judged_by_the_tasks_own_retries(launch, api, retries, state):
    sidecar, launcher, _ = launch("retries")
    launcher.ask(told(retries=retries))
    launcher.exit(3)

    assert (Reason.CRASHED, state) == (sidecar.end().reason, api.states()[0])


def test_the_tasks_own_limit_stops_it(launch):
    sidecar, launcher, _ = launch("execution_timeout")
    launcher.ask(told(execution_timeout_seconds=0.5))
    launcher.hear("stop")
    launcher.exit(None, 15)
    record = sidecar.end()

    assert (Reason.TIMED_OUT, True) == (record.reason, "execution_timeout of 0.5 s" in record.message)


@pytest.mark.parametrize(
    "options",
    [{"retries": -1}, {"retries": 10**6}, {"retry_delay_seconds": -1.0}, {"execution_timeout_seconds": 0.0},
     {"execution_timeout_seconds": float("inf")}, {"retry_delay_seconds": float("nan")}],
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused_by_name(launch, options):
    sidecar, launcher, _ = launch(*ALL)
    answer = launcher.ask(told(**options))
    launcher.ask(SUCCEED)
    launcher.exit()

    assert "the task's re" in str(answer.error) or "the task's execution_timeout" in str(answer.error)
    assert None is sidecar.end().options
