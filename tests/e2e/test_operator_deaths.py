"""The operator dies at every step of the plan, and two of them live at a time: still one pod an attempt, one start."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from e2e.conftest import namespace
from kube.operators import away, died, environment, lease_of_its_own, operator
from kube.taskruns import finished, outcome, over, status, taskrun
from kube.witness import START, Witness, pods_created

pytestmark = pytest.mark.timeout(400)
DRIVER = str(Path(__file__).parent / "drivers/dying_operator.py")
BODY = START + '\ntime.sleep(1)\nif ti.try_number == 1:\n    raise ValueError("once")\n'
#: The writes of a TaskRun that fails once and then succeeds: number, pod, pod's UID, running, retry; and the same
#: again to the end.
STEPS = [(number, when) for number in range(1, 11) for when in ("before", "after")]
#: So many operators die at a time, each in a namespace of its own: one after the other they would take five minutes.
LANES = 4


class Lane:
    """A namespace with an operator, a Lease and a witness of its own."""

    def __init__(self, team, system, folder):
        folder.mkdir()
        self.team, self._log = team, folder / "log"
        self._env = environment(system, folder, team.namespace, **lease_of_its_own(team, system))
        self.witness = Witness(team).start()
        self.names, self.never = [], []

    def go(self, steps):
        """A TaskRun for each step, whose operator dies there and is followed by another."""
        for number, when in steps:
            name = f"step-{number}-{when}"
            self.names.append(name)
            with self._operator(number, when) as process:
                self.team.apply(taskrun(name, BODY, retries=1))
                if not died(process, lambda name=name: over(self.team.get("taskrun", name))):
                    self.never.append(name)
            with self._operator(0, when):
                finished(self.team, name, 90)

    def _operator(self, number, when):
        # The Lease of one that was killed would have to run out first.
        self.team("delete", "lease", "airlock-operator", "--ignore-not-found")
        return operator([DRIVER, str(number), when], self._env, self._log)


@pytest.fixture
def lanes(cluster, system, tmp_path):
    with ExitStack() as namespaces:
        teams = [namespaces.enter_context(namespace(cluster, "lane")) for _ in range(LANES)]
        with ThreadPoolExecutor(LANES) as pool:
            yield list(pool.map(lambda team: Lane(team, system, tmp_path / team.namespace), teams))


@pytest.mark.alone
def test_an_operator_dies_before_and_after_each_of_its_writes(lanes, system, hooks):
    with away(system), ThreadPoolExecutor(LANES) as pool:
        list(pool.map(Lane.go, lanes, [STEPS[first::LANES] for first in range(LANES)]))
    names = [name for lane in lanes for name in lane.names]
    seen = {name: outcome(finished(lane.team, name)) for lane in lanes for name in lane.names}
    starts = {name: lane.witness.starts(name) for lane in lanes for name in lane.names}
    made = pods_created(hooks.audit_log(), *(lane.team.namespace for lane in lanes))
    pods = sorted(pod for pod in made if pod.startswith("step-"))
    never = [name for lane in lanes for name in lane.never]

    assert len(STEPS) == len(names)
    assert dict.fromkeys(names, ("success", "Succeeded", 2, 2)) == seen
    assert {key: [1, 2] for key in names} == starts
    assert sorted(f"{name}-{attempt}" for name in names for attempt in (1, 2)) == pods
    # The last steps are quiet ones that may fall together; most must have been met.
    assert len(never) <= 4, never


def test_two_operators_that_both_believe_to_lead_are_harmless(team, system, witness, hooks, tmp_path):
    """The second has a Lease of its own, as one has that was cut off and does not know it."""
    names = [f"two-{number}" for number in range(8)]
    env = environment(system, tmp_path, "second", **lease_of_its_own(team, system))
    with operator(["-m", "airlock_operator"], env, tmp_path / "log"):
        team.wait("lease", "airlock-operator", lambda lease: lease, 20)
        team.apply([taskrun(name, BODY, retries=1) for name in names])
        seen = {name: outcome(finished(team, name, 150)) for name in names}
    pods = [pod for pod in pods_created(hooks.audit_log(), team.namespace) if pod.startswith("two-")]

    assert dict.fromkeys(names, ("success", "Succeeded", 2, 2)) == seen, (tmp_path / "log").read_text()
    assert {key: [1, 2] for key in names} == {name: witness.starts(name) for name in names}
    assert sorted(f"{name}-{attempt}" for name in names for attempt in (1, 2)) == sorted(pods)


def test_a_stale_operators_pod_of_an_old_attempt_gets_no_token_and_is_removed(team, system, witness, tmp_path):
    """It creates attempt 1 anew after attempt 2 has begun: the pod is never given a token, and goes."""
    name = "stale"
    body = START + "\ntime.sleep(25)\n"
    team.apply(taskrun(name, body, retries=1, gracePeriod="1s"))
    witness.wait_for_starts(name)
    old = team.get("pod", f"{name}-1")
    team("delete", "pod", f"{name}-1", "--wait=true")
    witness.wait_for_starts(name, 2)
    for volatile in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"):
        old["metadata"].pop(volatile, None)
    del old["status"]
    old["spec"].pop("nodeName")
    forger = team.as_user("--as=system:serviceaccount:airlock-system:airlock-operator")
    forger("create", "-f", "-", stdin=json.dumps(old))
    team("wait", "--for=delete", f"pod/{name}-1", "--timeout=60s", seconds=70)
    run = finished(team, name)

    assert ("success", "Succeeded", 1, 2) == outcome(run)
    assert [1, 1] == witness.starts(name)
    assert f"{name}-2" == status(run)["podRef"]["name"]
