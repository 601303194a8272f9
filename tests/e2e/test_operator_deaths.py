"""The operator dies at every step of the plan, and two of them live at a time: still one pod an attempt, one start."""

import json
from pathlib import Path

import pytest
from kube.operators import away, died, environment, operator
from kube.taskruns import finished, outcome, status, taskrun
from kube.witness import START, pods_created

pytestmark = pytest.mark.timeout(400)
DRIVER = str(Path(__file__).parent / "drivers/dying_operator.py")
BODY = START + '\ntime.sleep(1)\nif ti.try_number == 1:\n    raise ValueError("once")\n'
#: The writes of a TaskRun that fails once and then succeeds: number, pod, pod's UID, running, retry; and the same
#: again to the end.
STEPS = [(number, when) for number in range(1, 11) for when in ("before", "after")]


def test_an_operator_dies_before_and_after_each_of_its_writes(team, system, witness, hooks, tmp_path):
    names, never = {}, []
    with away(system):
        for number, when in STEPS:
            name = f"step-{number}-{when}"
            names[name] = (number, when)
            env = environment(system, tmp_path, f"dying-{number}-{when}", AIRLOCK__OPERATOR__NAMESPACES=team.namespace)
            # The Lease of one that was killed would have to run out first; each has one of its own.
            env["AIRLOCK__OPERATOR__LEASE"] = "airlock-operator"
            system("delete", "lease", "airlock-operator", "--ignore-not-found")
            with operator([DRIVER, str(number), when], env, tmp_path / "log") as process:
                team.apply(taskrun(name, BODY, retries=1))
                if not died(process, 25):
                    never.append(name)
            system("delete", "lease", "airlock-operator", "--ignore-not-found")
            with operator([DRIVER, "0", when], env, tmp_path / "log"):
                finished(team, name, 60)
    seen = {name: outcome(finished(team, name)) for name in names}
    starts = {name: witness.starts(name) for name in names}
    pods = [pod for pod in pods_created(hooks.audit_log(), team.namespace) if pod.startswith("step-")]

    assert dict.fromkeys(names, ("success", "Succeeded", 2, 2)) == seen
    assert {key: [1, 2] for key in names} == starts
    assert sorted(f"{name}-{attempt}" for name in names for attempt in (1, 2)) == sorted(pods)
    # The last steps are quiet ones that may fall together; most must have been met.
    assert len(never) <= 4, never


def test_two_operators_that_both_believe_to_lead_are_harmless(team, system, witness, hooks, tmp_path):
    """The second has a Lease of its own name, as one has that was cut off and does not know it."""
    names = [f"two-{number}" for number in range(8)]
    env = environment(system, tmp_path, "second", AIRLOCK__OPERATOR__NAMESPACES=team.namespace)
    env["AIRLOCK__OPERATOR__LEASE"] = "airlock-operator"
    env["AIRLOCK__OPERATOR__NAMESPACE"] = team.namespace
    team(
        "create", "rolebinding", "second", "--clusterrole=edit", f"--serviceaccount={system.namespace}:airlock-operator"
    )
    team("create", "role", "leases", "--verb=get,create,update", "--resource=leases.coordination.k8s.io")
    team("create", "rolebinding", "leases", "--role=leases", f"--serviceaccount={system.namespace}:airlock-operator")
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
