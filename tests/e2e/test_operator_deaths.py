"""The operator dies at every step of the plan, and two of them live at a time: still one pod an attempt, one start."""

import collections
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from kube.namespaces import namespace
from kube.operators import away, died, environment, lease_of_its_own, operator
from kube.taskruns import finished, outcome, over, status, taskrun
from kube.witness import START, Witness, pods_created

pytestmark = pytest.mark.timeout(400)
DRIVER = str(Path(__file__).parent / "drivers/dying_operator.py")
#: In which write each operator of a line dies: a write that it dies before, the next one has to make before it dies
#: before another.
DEATHS = {"before": (1, 2), "after": (1, 1)}
#: Two attempts take ten writes at most.
MOST = 15


def body(seconds):
    """User code that fails once."""
    return f'{START}\ntime.sleep({seconds})\nif ti.try_number == 1:\n    raise ValueError("once")\n'


class Line:
    """A line of operators, each of which dies and is followed by the next; with a namespace, Lease and witness of its own."""

    def __init__(self, team, system, folder, when):
        folder.mkdir()
        self.team, self.name, self._when = team, f"dies-{when}", when
        self._log, self._steps = folder / "log", folder / "steps"
        self._env = environment(system, folder, team.namespace, **lease_of_its_own(team, system))
        self.witness = Witness(team).start()

    def go(self):
        """A TaskRun that is retried once. User code takes so long that it still runs when an operator is to see it."""
        self.team.apply(taskrun(self.name, body(8), retries=1))
        number, following = DEATHS[self._when]
        for _ in range(MOST):
            if self._over():
                break
            # The Lease of one that was killed would have to run out first.
            self.team("delete", "lease", "airlock-operator", "--ignore-not-found")
            words = [DRIVER, str(number), self._when, str(self._steps)]
            with operator(words, self._env, self._log) as process:
                died(process, self._over)
            number = following
        # By these operators: the installed one would end it too, once it is back.
        assert self._over()

    def _over(self):
        return over(self.team.get("taskrun", self.name))

    def steps(self):
        """The writes that an operator died in, in order."""
        return self._steps.read_text().splitlines()


@pytest.fixture
def lines(cluster, system, tmp_path):
    with ExitStack() as namespaces, ThreadPoolExecutor(len(DEATHS)) as pool:
        teams = [namespaces.enter_context(namespace(cluster, "line")) for _ in DEATHS]
        yield list(pool.map(lambda team, when: Line(team, system, tmp_path / when, when), teams, DEATHS))


@pytest.mark.alone
def test_an_operator_dies_before_and_after_each_of_its_writes(lines, system, hooks):
    """In one TaskRun's life: whoever comes next finds what the one before left, and gets as far as the next write."""
    with away(system), ThreadPoolExecutor(len(lines)) as pool:
        list(pool.map(Line.go, lines))
    seen = {line.name: (outcome(finished(line.team, line.name)), line.witness.starts(line.name)) for line in lines}
    pods = pods_created(hooks.audit_log(), *(line.team.namespace for line in lines))

    assert {line.name: (("success", "Succeeded", 2, 2), [1, 2]) for line in lines} == seen
    assert sorted(f"{line.name}-{attempt}" for line in lines for attempt in (1, 2)) == sorted(
        pod for pod in pods if pod.startswith("dies-")
    )
    # For each attempt its number, its pod, that it runs; and the end. More where the pod's UID is news of its own.
    deaths = {line.name: collections.Counter(line.steps()) for line in lines}
    assert {line.name: {"POST pods", "PUT status"} for line in lines} == {name: {*met} for name, met in deaths.items()}
    assert {line.name: 2 for line in lines} == {name: met["POST pods"] for name, met in deaths.items()}
    assert all(met["PUT status"] >= 5 for met in deaths.values()), deaths


def test_two_operators_that_both_believe_to_lead_are_harmless(team, system, witness, hooks, tmp_path):
    """The second has a Lease of its own, as one has that was cut off and does not know it."""
    names = [f"two-{number}" for number in range(8)]
    env = environment(system, tmp_path, "second", **lease_of_its_own(team, system))
    with operator(["-m", "airlock_operator"], env, tmp_path / "log"):
        team.wait("lease", "airlock-operator", lambda lease: lease, 20)
        team.apply([taskrun(name, body(1), retries=1) for name in names])
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
