"""What the operator has last seen, and what it does not believe."""

from doubles.taskruns import body, pod_body

from airlock_operator.observe.sightings import Key, Sightings

KEY = Key("team", "hello")


def test_old_news_does_not_undo_new():
    sightings = Sightings()
    new, old = body(), body()
    new["metadata"]["resourceVersion"], old["metadata"]["resourceVersion"] = "10", "9"
    sightings.saw_run(new)
    sightings.saw_run(old)

    assert new == sightings.run(KEY)


def test_another_taskrun_of_the_same_name_is_news_whatever_its_version():
    sightings = Sightings()
    first, second = body(), body()
    first["metadata"]["resourceVersion"] = "10"
    second["metadata"]["uid"] = "another"
    sightings.saw_run(first)
    sightings.saw_run(second)

    assert second == sightings.run(KEY)


def test_a_pod_that_went_stays_gone_and_keeps_what_it_last_said():
    sightings = Sightings()
    sightings.saw_pod(pod_body(phase="Running"), gone=True)
    sightings.saw_pod(pod_body(phase="Pending"))
    found = sightings.pod(KEY, "hello-1")

    assert (True, "Running") == (found.gone, found.phase)


def test_a_pod_of_the_same_name_and_another_uid_is_another_pod():
    sightings = Sightings()
    sightings.saw_pod(pod_body(), gone=True)
    sightings.saw_pod(pod_body(uid="new"))

    assert sightings.pod(KEY, "hello-1", "new") is not None
    assert None is sightings.pod(KEY, "hello-1", "9a1c3f10-0000-4000-8000-00000000000a")


def test_a_pod_that_is_nobodys_is_not_looked_at():
    stranger = pod_body()
    stranger["metadata"]["labels"] = {"airlock.dev/taskrun": "hello", "airlock.dev/attempt": "x"}

    assert None is Sightings().saw_pod(stranger)


def test_what_is_gone_is_forgotten():
    sightings = Sightings()
    sightings.saw_run(body())
    sightings.saw_pod(pod_body())
    sightings.saw_run(body(), gone=True)

    assert ({}, []) == (sightings.runs, sightings.pods(KEY))
