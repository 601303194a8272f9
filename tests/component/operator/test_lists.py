"""Lists as an API server answers them, over HTTP: in pages, empty, and not at all."""

import asyncio
import json

import pytest
import yaml
from doubles.taskruns import body, pod_body

from airlock_operator.kube import errors
from airlock_operator.kube.api import Cluster
from airlock_operator.observe.sightings import Key, Sightings
from airlock_operator.relist import Relist


def encoded(answers):
    """Answers of the API server, told by the path and by whether metadata alone is asked for."""

    def answer(path, headers):
        found = answers(path, "PartialObjectMetadataList" in headers["Accept"])
        return 200, found if isinstance(found, bytes) else json.dumps(found).encode()

    return answer


@pytest.fixture
def api(played):
    return played


def with_cluster(api, tmp_path, act):
    cluster = {"server": api.url}
    config = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))

    async def go():
        opened = Cluster(str(tmp_path / "kubeconfig"))
        await opened.open()
        try:
            return await asyncio.wait_for(act(opened), 20)
        finally:
            await opened.close()

    return asyncio.run(go())


def relist_of(cluster, sightings, due):
    return Relist(cluster, sightings, [], due=due.append, adopt=due.extend, start_anew=lambda: None)


@pytest.mark.parametrize("items", [None, []])
def test_an_empty_cluster_is_listed_in_full_and_by_metadata(api, tmp_path, items):
    api.answers = encoded(lambda path, metadata: {"metadata": {"resourceVersion": "9"}, "items": items})
    due = []

    async def lists(cluster):
        relist = relist_of(cluster, Sightings(), due)
        await relist.everything()
        await relist.changes()

    with_cluster(api, tmp_path, lists)

    assert [] == due
    assert 4 == len(api.asked)


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"items": []}', b'{"metadata": {}, "items": 1}'])
def test_an_answer_that_is_not_a_list_is_asked_for_again_later(api, tmp_path, answer):
    api.answers = encoded(lambda path, metadata: answer)

    with pytest.raises(errors.Busy, match="cannot be read"):
        with_cluster(api, tmp_path, lambda cluster: relist_of(cluster, Sightings(), []).changes())


def test_a_relist_finds_what_an_event_was_missed_for(api, tmp_path):
    """A TaskRun that changed, one that is gone, and a pod that is gone: each is due again."""
    known, changed = body(), body()
    changed["metadata"]["resourceVersion"] = "8"
    sightings, due = Sightings(), []
    sightings.saw_run(known)
    sightings.saw_run(body(name="gone"))
    sightings.saw_pod(pod_body())

    def answers(path, metadata):
        if path.startswith("/apis/airlock.dev/v1alpha1/namespaces/team/taskruns/hello"):
            return changed
        listed = [{"metadata": changed["metadata"]}] if "taskruns" in path else None
        return {"metadata": {"resourceVersion": "10"}, "items": listed}

    api.answers = encoded(answers)
    with_cluster(api, tmp_path, lambda cluster: relist_of(cluster, sightings, due).changes())

    assert {Key("team", "hello"), Key("team", "gone")} == set(due)
    assert ("8", None) == (sightings.runs[Key("team", "hello")].version, sightings.run(Key("team", "gone")))
    assert sightings.pod(Key("team", "hello"), "hello-1").gone


def test_what_was_made_after_a_list_is_not_taken_for_gone(api, tmp_path):
    sightings, due = Sightings(), []
    new, pod = body(), pod_body()
    new["metadata"]["resourceVersion"], pod["metadata"]["resourceVersion"] = "11", "12"
    sightings.saw_run(new)
    sightings.saw_pod(pod)
    api.answers = encoded(lambda path, metadata: {"metadata": {"resourceVersion": "10"}, "items": None})
    with_cluster(api, tmp_path, lambda cluster: relist_of(cluster, sightings, due).changes())

    assert [] == due
    assert not sightings.pod(Key("team", "hello"), "hello-1").gone


def test_a_list_comes_in_pages(api, tmp_path):
    def answers(path, metadata):
        last = "continue=more" in path
        more = {} if last else {"continue": "more"}
        name = "second" if last else "first"
        return {"metadata": {"resourceVersion": "10"} | more, "items": [body(name=name)] if "taskruns" in path else []}

    api.answers = encoded(answers)
    due = []
    with_cluster(api, tmp_path, lambda cluster: relist_of(cluster, Sightings(), due).everything())

    assert {Key("team", "first"), Key("team", "second")} == set(due)
