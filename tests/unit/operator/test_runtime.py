"""Whose fault it is that a container was not started: the runtime's failures are infrastructure, and never the user's."""

import pytest
from doubles.taskruns import case, ended, open_attempt, pod, run, waiting

from airlock_operator.decide.blocked import blocked
from airlock_operator.decide.ending import end_of
from airlock_operator.observe import runtime
from airlock_operator.observe.complaints import About, heard
from airlock_operator.reasons import Kind, Reason

OF_THE_NODE = [
    "context canceled",
    "context deadline exceeded",
    "failed to create containerd task: failed to create shim task: context deadline exceeded: unknown",
    'failed to start containerd task "x": context canceled: unknown',
    "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    "rpc error: code = Unavailable desc = error reading from server: EOF",
    'rpc error: code = Unavailable desc = connection error: desc = "transport: error while dialing"',
    "failed to create containerd task: failed to create shim task: ttrpc: closed: unknown",
    'failed to reserve container name "runner_x": name "runner_x" is reserved for "1f"',
    "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error: signal: killed",
    "OCI runtime create failed: unable to start container process: write init-p: broken pipe: unknown",
    "failed to create containerd task: fork/exec /proc/self/exe: resource temporarily unavailable",
    "write /var/lib/containerd/io.containerd/config.json: no space left on device",
    "unable to apply cgroup configuration: mkdir /sys/fs/cgroup/x: no such file or directory",
    'sandbox container "b" is not running',
]
OF_THE_IMAGE = [
    'runc create failed: unable to start container process: exec: "python": executable file not found in $PATH: unknown',
    'runc create failed: unable to start container process: exec: "/usr/bin/python": stat: no such file or directory',
    'runc create failed: unable to start container process: exec: "/bin/x": permission denied: unknown',
    "exec /usr/bin/python: exec format error",
    'unable to start container process: chdir to cwd ("/work") set in config.json failed: no such file or directory',
    "unable to find user airlock: no matching entries in passwd file",
]


@pytest.mark.parametrize("message", OF_THE_NODE)
def test_a_start_that_the_runtime_failed_costs_the_infra_budget(message):
    facts = pod(phase="Failed", runner=ended(128, "StartError", message=message))
    end = end_of(case(run(status=open_attempt()), facts))

    assert (Reason.RUNTIME_FAILED, Kind.INFRA, False) == (end.reason, end.reason.kind, end.begun)
    assert message in end.message


@pytest.mark.parametrize("message", OF_THE_IMAGE)
def test_an_image_that_cannot_be_started_is_its_authors(message):
    facts = pod(phase="Failed", runner=ended(128, "StartError", message=message))
    end = end_of(case(run(status=open_attempt()), facts))

    assert (Reason.CANNOT_EXEC, False) == (end.reason, end.begun)


def test_a_sentence_that_nobody_knows_is_taken_for_the_runtimes():
    assert not runtime.of_the_image("something new in containerd 9")


@pytest.mark.parametrize("reason", ["RunContainerError", "CreateContainerError", "CreateContainerConfigError"])
@pytest.mark.parametrize("message", OF_THE_NODE)
def test_a_container_that_the_runtime_does_not_make_yet_is_starting_and_not_wrong(reason, message):
    held = blocked(run(status=open_attempt()), pod(runner=waiting(reason, message)))

    assert (Reason.STARTING, Reason.PENDING) == (held.reason, held.ends_as)


@pytest.mark.parametrize("message", OF_THE_NODE)
def test_a_kubelets_complaint_about_its_runtime_says_nothing_of_the_users_configuration(message):
    event = {"type": "Warning", "reason": "Failed", "message": f"Error: {message}", "involvedObject": {}}

    assert About.OTHER is heard(None, event).about


def test_an_init_container_of_ours_that_the_runtime_failed_to_start_is_infrastructure():
    state = ended(128, "StartError", message="context canceled")
    inits = [{"name": "sidecar", "state": {}}, {"name": "bundle", "state": state}]
    end = end_of(case(run(status=open_attempt()), pod(phase="Failed", initContainerStatuses=inits)))

    assert (Reason.RUNTIME_FAILED, False) == (end.reason, end.begun)
