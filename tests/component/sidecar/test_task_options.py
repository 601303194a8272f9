"""Options that a launch takes from its task: the sidecar acts on them, and puts them into its record."""

import pytest
from doubles.api import DAG_RUN, RUN_CONTEXT, Answer
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


def retry(**more):
    return {"type": "RetryTask", "end_date": "2026-01-01T00:00:00Z", "retry_reason": "busy", **more}


def test_how_the_tasks_delay_grows_is_recorded_with_the_date_that_its_part_follows_from(launch, api):
    run = DAG_RUN | {"logical_date": "2026-01-02T03:04:05.000006Z"}
    api.answers["/run"] = lambda _: Answer(200, RUN_CONTEXT | {"dag_run": run})
    sidecar, launcher, _ = launch(*ALL)
    launcher.ask(told(retry_exponential_backoff=2.0, max_retry_delay_seconds=90.0))
    launcher.ask(retry())
    launcher.exit()
    record = sidecar.end()

    assert (2.0, 90.0) == (record.options.retry_exponential_backoff, record.options.max_retry_delay_seconds)
    assert "2026-01-02 03:04:05.000006+00:00" == str(record.logical_date)
    assert None is record.retry_delay_seconds


@pytest.mark.parametrize(
    ("delay", "recorded"), [(1800.5, 1800.5), (0.0, 0.0), (None, None), (-1.0, None), (1e300, None)]
)
def test_a_retry_policys_delay_is_recorded_if_it_is_one(launch, delay, recorded):
    sidecar, launcher, _ = launch()
    launcher.ask(retry(retry_delay_seconds=delay))
    launcher.exit()

    assert recorded == sidecar.end().retry_delay_seconds


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
     {"execution_timeout_seconds": float("inf")}, {"retry_delay_seconds": float("nan")},
     {"retry_exponential_backoff": -2.0}, {"retry_exponential_backoff": float("inf")}],
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused_by_name(launch, options):
    sidecar, launcher, _ = launch(*ALL)
    answer = launcher.ask(told(**options))
    launcher.ask(SUCCEED)
    launcher.exit()

    assert "the task's re" in str(answer.error) or "the task's execution_timeout" in str(answer.error)
    assert None is sidecar.end().options
