"""The names of a TaskRun's pods."""

import pytest

from airlock_wire import taskrun


@pytest.mark.parametrize(("name", "attempt"), [("job", 1), ("my-job", 12), ("job-1", 999_999)])
def test_a_pods_name_tells_its_taskrun_and_attempt(name, attempt):
    assert (name, attempt) == taskrun.attempt_of(taskrun.pod_name(name, attempt))


@pytest.mark.parametrize(
    "pod", ["", "job", "job-", "-1", "job-x", "job-0", "job-01", "job-1000000", "job-\u0663", "job-+1"]
)
def test_a_name_that_no_attempt_has_is_refused(pod):
    assert None is taskrun.attempt_of(pod)
