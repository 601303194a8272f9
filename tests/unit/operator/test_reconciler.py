"""A turn, against a cluster that only takes notes: what is never asked of the API server."""

import asyncio
import copy

from doubles.taskruns import body

from airlock_operator.decide.pace import Pace
from airlock_operator.decide.slots import Limits, Slots
from airlock_operator.kube import errors
from airlock_operator.observe.sightings import Sightings
from airlock_operator.reconciler import Reconciler
from airlock_operator.settings import NO_STORE, Pods

SECRET = {"token": "Secret", "taskInstanceId": "i", "dagVersionId": "v", "runId": "r"}


class Noted:
    """A cluster that takes every status, and makes no pod."""

    def __init__(self):
        self.pods, self.statuses = [], []

    async def write_status(self, old, status):
        self.statuses.append(status)
        new = copy.deepcopy(old) | {"status": status}
        new["metadata"]["resourceVersion"] = str(int(old["metadata"]["resourceVersion"]) + 1)
        return new

    async def taskrun(self, namespace, name):
        raise errors.NotFound(404, "it is not needed")

    async def create_event(self, namespace, event):
        pass

    async def create_pod(self, namespace, pod):
        self.pods.append(pod)
        return pod | {"metadata": pod["metadata"] | {"uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}}


class NoServer:
    """No server is asked, and it is not away."""

    asks = False

    def away(self, *, airflow):
        return ""


def after_turns(pods, turns=4, **spec):
    cluster, sightings = Noted(), Sightings()
    key = sightings.saw_run(body(**spec))
    slots, pace = Slots(Limits()), Pace(0.0)
    more = {"ca_pem": lambda _: "CA", "component": "airlock-operator", "slots": slots, "pace": pace, "wake": print}
    made = Reconciler(cluster, sightings, NoServer(), pods, NO_STORE, **more)

    async def go():
        for _ in range(turns):
            await made.turn(key)

    asyncio.run(go())
    return cluster.pods, cluster.statuses[-1]


def test_a_token_for_an_airflow_that_nobody_named_is_refused_with_a_sentence_and_no_pod_is_made():
    pods, status = after_turns(Pods(), **SECRET)

    assert ([], "failed", "InvalidPod") == (pods, status["state"], status["reason"])
    assert "airflow.apiUrl" in status["message"]


def test_one_that_was_named_is_where_the_token_goes():
    pods, _ = after_turns(Pods(airflow_api_url="https://airflow/execution"), turns=2, **SECRET)
    env = {e["name"]: e.get("value") for e in pods[0]["spec"]["initContainers"][0]["env"]}

    assert ("https://airflow/execution", "CA") == (env["AIRLOCK__API__URL"], env["AIRLOCK__API__CA_PEM"])


def test_a_version_that_is_none_of_a_fetched_bundle_is_refused_with_a_sentence_and_no_pod_is_made():
    listed = '[{"name": "sales", "classpath": "a.B", "image": "i"}]'
    asked = {"source": None, "bundle": {"name": "sales", "version": "/proc/self"}, "file": "f.py"}
    pods, status = after_turns(Pods(bundles=listed), **asked)

    assert ([], "failed", "InvalidPod") == (pods, status["state"], status["reason"])
    assert "spec.bundle.version: the version of a bundle that is fetched begins with" in status["message"]
