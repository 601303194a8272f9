"""A quota that counts limits of processors: a TaskRun's pod can run in its namespace, and says what it lacks."""

import json
import time
from datetime import UTC, datetime

import pytest
from doubles.taskruns import run
from kube.kubectl import Refused

from airlock_operator.decide.advice import advised
from airlock_operator.kube.errors import of_answer
from airlock_operator.pod.manifest import manifest
from airlock_operator.reconciler import refusal_of
from airlock_operator.settings import Pods

OPERATOR = ("--as=system:serviceaccount:airlock-system:airlock-operator",)
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "q"},
    "spec": {"hard": {"limits.cpu": "4", "limits.memory": "4Gi"}},
}
RUNNER = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}
SETTINGS = {
    "bundles": json.dumps([{"name": "sales", "classpath": "a.B", "image": "i"}]),
    "airflow_api_url": "https://airflow/execution",
}
KINDS = {
    "ours": {},
    "airflow's": {"runner": "airflow"},
    "one that fetches": {"source": None, "bundle": {"name": "sales"}, "file": "f.py"},
}


@pytest.fixture(scope="module", autouse=True)
def quota(namespace):
    namespace.apply(QUOTA)
    # The quota counts once its controller has seen it.
    ends = time.monotonic() + 60
    while "used" not in (namespace.get("resourcequota", "q").get("status") or {}):
        assert time.monotonic() < ends, "no controller has seen the quota"
        time.sleep(0.5)


def ask(namespace, settings, spec):
    made = manifest(run(pod={"resources": RUNNER}, **spec), 1, settings, "CA")
    del made["metadata"]["namespace"], made["metadata"]["ownerReferences"]
    namespace.as_user(*OPERATOR)("create", "--dry-run=server", "-f", "-", stdin=json.dumps(made))


@pytest.mark.parametrize("kind", KINDS)
def test_a_pod_fits_a_quota_where_the_chart_limits_processors(namespace, kind):
    ask(namespace, Pods(cpu_limit="500m", **SETTINGS), KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_limit_the_advice_names_the_charts_value(namespace, kind):
    with pytest.raises(Refused, match=r"must specify limits\.cpu") as said:
        ask(namespace, Pods(**SETTINGS), KINDS[kind])

    refusal = refusal_of(of_answer(403, json.dumps({"message": str(said.value)})), datetime.now(UTC))
    assert "sidecar.resources.cpuLimit" in advised(refusal.reason, refusal.message, run())
