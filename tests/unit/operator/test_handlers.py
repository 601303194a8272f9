"""What kopf's events become: keys on the work queue, some in no hurry, and nothing that kopf keeps for itself."""

import asyncio

import kopf
import pytest
from doubles.taskruns import RUNNING, body, ended, pod_body, waiting

from airlock_operator.kube.handlers import Heard, kopf_settings, registry
from airlock_operator.observe.sightings import Key, Sightings


def due(kind, event):
    """The keys that an event puts on the queue, each with the seconds that it may wait."""
    heard = []
    handlers = registry(Sightings(), lambda key, after: heard.append((key, after)), Heard(), "")
    [handler] = [each for each in handlers._watching.get_all_handlers() if each.id == kind]
    asyncio.run(handler.fn(event=event))
    return heard


def test_a_taskruns_news_is_due_at_once():
    assert [(Key("team", "hello"), 0.0)] == due("taskruns", {"type": "ADDED", "object": body()})


@pytest.mark.parametrize(
    ("seconds", "pod"),
    [
        (0.0, pod_body()),
        (0.0, pod_body(runner=waiting("ErrImagePull"))),
        (0.25, pod_body(runner=RUNNING)),
        (0.0, pod_body(runner=ended())),
        (0.0, pod_body(runner=RUNNING, deleting=True)),
    ],
    ids=["made", "waits", "runs", "ended", "runs and is told to go"],
)
def test_only_the_news_that_a_runner_runs_may_wait(seconds, pod):
    assert [(Key("team", "hello"), seconds)] == due("pods", {"type": "MODIFIED", "object": pod})


def test_that_a_running_pod_is_gone_is_due_at_once():
    assert [(Key("team", "hello"), 0.0)] == due("pods", {"type": "DELETED", "object": pod_body(runner=RUNNING)})


def test_a_pod_that_is_nobodys_is_nobodys_news():
    stray = pod_body()
    stray["metadata"]["labels"] = {}

    assert [] == due("pods", {"type": "MODIFIED", "object": stray})


def test_kopf_copies_nothing_in_order_to_compare_it_and_writes_nothing_down():
    kept = kopf_settings().persistence.diffbase_storage
    patch = kopf.Patch()

    kept.store(body=kopf.Body(body()), patch=patch, essence=kopf.BodyEssence())

    assert {} == kept.build(body=kopf.Body(body()))
    assert None is kept.fetch(body=kopf.Body(body()))
    assert {} == patch
