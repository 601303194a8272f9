"""The routes of a task instance, over HTTP, with a real database."""

import threading
import uuid

import pytest

from airlock_server.store import tries
from airlock_wire.states import TaskInstanceState

REPORTS = {
    "success": {},
    "failed": {},
    "skipped": {},
    "removed": {},
    "upstream_failed": {},
    "up_for_reschedule": {"reschedule_date": "2026-01-01T01:00:00Z"},
}


def reason(response):
    return response.json()["detail"]["reason"]


def test_run_tells_a_launch_what_its_runner_needs(api):
    ti_id = api.queue(conf={"a": 1}, max_tries=2)
    answer = api.run(ti_id)
    assert 200 == answer.status_code
    context = answer.json()
    assert context["dag_run"] | {"dag_id": "dag", "run_id": "run", "conf": {"a": 1}} == context["dag_run"]
    assert [] == context["dag_run"]["consumed_asset_events"]
    assert context["dag_run"]["logical_date"].endswith("Z")
    assert (2, True, []) == (context["max_tries"], context["should_retry"], context["xcom_keys_to_clear"])
    assert not {"next_method", "next_kwargs", "start_date"} & context.keys()
    assert "running" == api.row(ti_id).state
    assert [(None, "queued", "owner"), ("queued", "running", "task")] == api.moves(ti_id)


def test_a_workload_token_is_traded_for_an_execution_token(api):
    ti_id = api.queue()
    answer = api.run(ti_id, headers={"authorization": f"Bearer {api.tokens.mint_workload(ti_id)}"})
    fresh = answer.headers["refreshed-api-token"]
    assert "execution" == api.tokens.verify(fresh).scope
    assert 204 == api.beat(ti_id, headers={"authorization": f"Bearer {fresh}"}).status_code


def test_an_execution_token_is_not_traded(api):
    assert "refreshed-api-token" not in api.run(api.queue()).headers


def test_a_replayed_run_is_accepted_and_another_launch_is_not(api):
    ti_id = api.running()
    assert 200 == api.run(ti_id).status_code
    for other in ({"hostname": "x"}, {"unixname": "x"}, {"pid": 2}):
        refused = api.run(ti_id, **other)
        assert (409, "invalid_state") == (refused.status_code, reason(refused))
        assert "running" == refused.json()["detail"]["previous_state"]
    assert ["queued", "running"] == [move[1] for move in api.moves(ti_id)]


def test_a_launch_starts_without_the_xcoms_of_an_earlier_one_and_a_replay_keeps_its_own(api):
    ti_id = api.queue()
    path = "/xcoms/dag/run/task"
    assert 201 == api.http.post(f"{path}/old", json=1, headers=api.anyone).status_code
    assert [] == api.run(ti_id).json()["xcom_keys_to_clear"]
    assert 404 == api.http.get(f"{path}/old", headers=api.anyone).status_code
    assert 201 == api.http.post(f"{path}/new", json=1, headers=api.anyone).status_code
    assert 200 == api.run(ti_id).status_code
    assert 200 == api.http.get(f"{path}/new", headers=api.anyone).status_code


class TestXComsOfAnEarlierTry:
    """A runner whose XComs a class of the author's keeps purges what that class keeps before it deletes the rows."""

    PATH = "/xcoms/dag/run/task"

    def push(self, api, key, map_index=-1):
        where = f"{self.PATH}/{key}" + (f"?map_index={map_index}" if map_index >= 0 else "")
        assert 201 == api.http.post(where, json=1, headers=api.anyone).status_code

    def is_there(self, api, key, map_index=-1):
        where = f"{self.PATH}/{key}" + (f"?map_index={map_index}" if map_index >= 0 else "")
        return 200 == api.http.get(where, headers=api.anyone).status_code

    def clearing(self, api, ti_id, answer="true"):
        return api.run(ti_id, what=f"run?clears_xcoms={answer}").json()["xcom_keys_to_clear"]

    def test_are_named_and_kept_for_a_runner_that_clears_them(self, api):
        ti_id = api.queue()
        self.push(api, "b")
        self.push(api, "a")
        assert ["a", "b"] == self.clearing(api, ti_id)
        assert [True, True] == [self.is_there(api, key) for key in "ab"]
        assert ["a", "b"] == self.clearing(api, ti_id), "the first answer may not have arrived"

    def test_are_removed_for_a_runner_that_does_not(self, api):
        ti_id = api.queue()
        self.push(api, "a")
        assert [] == self.clearing(api, ti_id, "false")
        assert not self.is_there(api, "a")

    def test_of_other_map_indexes_are_not_named(self, api):
        ti_id = api.queue(map_index=1)
        for index in (0, 1):
            self.push(api, "a", index)
        self.push(api, "other", 0)
        assert ["a"] == self.clearing(api, ti_id)
        assert self.is_there(api, "other", 0)

    def test_of_the_indexes_that_a_task_no_longer_has_are_removed(self, api):
        ti_id = api.queue()
        self.push(api, "a", 0)
        self.push(api, "a")
        assert ["a"] == self.clearing(api, ti_id)
        assert [False, True] == [self.is_there(api, "a", index) for index in (0, -1)]

    def test_stay_for_a_task_that_resumes(self, api):
        ti_id = api.running()
        self.push(api, "a")
        deferred = {"state": "deferred", "classpath": "c.T", "next_method": "execute_complete"}
        assert 204 == api.call("PATCH", ti_id, "state", deferred).status_code
        api.force(ti_id, TaskInstanceState.QUEUED)
        assert [] == self.clearing(api, ti_id)
        assert self.is_there(api, "a")


@pytest.mark.parametrize("state", TaskInstanceState)
def test_every_state_answers_run_as_airflow_does(api, state):
    ti_id = api.running()
    api.force(ti_id, state)
    answer = api.run(ti_id, hostname="other")
    if state in (TaskInstanceState.QUEUED, TaskInstanceState.RESTARTING):
        assert 200 == answer.status_code
    else:
        assert (409, "invalid_state") == (answer.status_code, reason(answer))


@pytest.mark.parametrize("state", TaskInstanceState)
def test_every_state_answers_reports_and_heartbeats_as_airflow_does(api, state):
    ti_id = api.running()
    api.force(ti_id, state)
    beat = api.beat(ti_id)
    if state is TaskInstanceState.RUNNING:
        assert 204 == beat.status_code
    else:
        assert (409, "not_running") == (beat.status_code, reason(beat))
        for reported, fields in REPORTS.items():
            answer = api.report(ti_id, reported, **fields)
            assert answer.status_code == (200 if reported == state else 409), reported
        assert ["queued", "running"] == [move[1] for move in api.moves(ti_id)]


@pytest.mark.parametrize(("state", "fields"), REPORTS.items())
def test_a_report_is_applied_once_and_its_replay_changes_nothing(api, state, fields):
    ti_id = api.running()
    assert 204 == api.report(ti_id, state, **fields).status_code
    assert api.row(ti_id).state == state
    again = api.report(ti_id, state, **fields)
    assert (200, b"") == (again.status_code, again.content)
    assert api.moves(ti_id)[2:] == [("running", state, "task")]


def test_up_for_retry_archives_the_try_under_its_id(api):
    ti_id = api.running(max_tries=1)
    said = api.report(ti_id, "up_for_retry", retry_delay_seconds=1.5, retry_reason="busy")
    assert 204 == said.status_code
    assert 404 == api.report(ti_id, "up_for_retry").status_code
    assert 404 == api.run(ti_id).status_code
    assert 410 == api.beat(ti_id).status_code
    assert 410 == api.call("PUT", ti_id, "rtif", {}).status_code
    ended = api.db.read(lambda conn: tries.outcome(conn, ti_id))
    assert ("up_for_retry", True, 1.5) == (ended.state, ended.archived, ended.retry_delay_seconds)
    next_id = api.queue(try_number=2, max_tries=1)
    assert next_id != ti_id
    assert False is api.run(next_id).json()["should_retry"]


def test_a_deferred_task_resumes_where_it_said(api):
    ti_id = api.running()
    body = {"state": "deferred", "classpath": "a.B", "next_method": "go", "next_kwargs": {"x": 1}}
    assert 204 == api.call("PATCH", ti_id, "state", body | {"trigger_timeout": "PT1M"}).status_code
    assert "a.B" == api.row(ti_id).report["classpath"]
    assert api.row(ti_id).trigger_timeout_at is not None
    api.force(ti_id, "queued")
    context = api.run(ti_id, hostname="other").json()
    assert ("go", {"x": 1}) == (context["next_method"], context["next_kwargs"])
    assert "2026-01-01T00:00:00Z" == context["start_date"]
    assert 204 == api.report(ti_id, "success").status_code
    assert None is api.row(ti_id).next_method


def test_a_task_that_waits_for_a_person_is_parked(api):
    ti_id = api.running()
    body = {"state": "awaiting_input", "next_method": "go", "timeout": "PT5S"}
    assert 204 == api.call("PATCH", ti_id, "state", body).status_code
    assert ("awaiting_input", "go") == (api.row(ti_id).state, api.row(ti_id).next_method)


def test_reschedules_are_counted(api):
    ti_id = api.running()
    assert 204 == api.report(ti_id, "up_for_reschedule", reschedule_date="2026-01-01T01:00:00Z").status_code
    api.force(ti_id, "queued")
    assert 1 == api.run(ti_id).json()["task_reschedule_count"]


def test_a_state_that_no_task_can_report_fails_it(api):
    ti_id = api.running()
    assert 204 == api.call("PATCH", ti_id, "state", {"state": "queued"}).status_code
    assert "failed" == api.row(ti_id).state
    assert "queued" in api.row(ti_id).reason


def test_a_bad_partition_key_matters_only_where_the_state_would_move(api):
    events = [{"dest_asset_key": {"name": "a", "uri": "a"}, "partition_key": " "}]
    ti_id = api.running()
    refused = api.report(ti_id, "success", outlet_events=events)
    assert (422, "invalid_partition_key") == (refused.status_code, reason(refused))
    assert "running" == api.row(ti_id).state
    assert 204 == api.report(ti_id, "success").status_code
    assert 200 == api.report(ti_id, "success", outlet_events=events).status_code


def test_a_heartbeat_says_who_runs_the_task_instead(api):
    ti_id = api.running()
    refused = api.beat(ti_id, hostname="x", pid=9)
    assert 409 == refused.status_code
    detail = refused.json()["detail"]
    assert ("running_elsewhere", "host", 1) == (detail["reason"], detail["current_hostname"], detail["current_pid"])


def test_a_heartbeat_is_written_down(api):
    ti_id = api.running()
    before = api.row(ti_id).last_heartbeat_at
    assert 204 == api.beat(ti_id).status_code
    assert api.row(ti_id).last_heartbeat_at > before


def test_an_unknown_task_instance_is_not_found(api):
    unknown = str(uuid.uuid4())
    for answer in (api.run(unknown), api.beat(unknown), api.report(unknown, "success")):
        assert (404, "not_found") == (answer.status_code, reason(answer))
    assert 404 == api.call("PUT", unknown, "rtif", {}).status_code
    assert 404 == api.call("PATCH", unknown, "rendered-map-index", "x").status_code


def test_rendered_fields_and_the_map_index_are_kept(api):
    ti_id = api.running()
    assert 201 == api.call("PUT", ti_id, "rtif", {"a": [1]}).status_code
    assert 201 == api.call("PUT", ti_id, "rtif", {"a": [2]}).status_code
    assert 422 == api.call("PUT", ti_id, "rtif", [1]).status_code
    assert 204 == api.call("PATCH", ti_id, "rendered-map-index", "first").status_code
    assert "first" == api.row(ti_id).rendered_map_index
    assert 422 == api.call("PATCH", ti_id, "rendered-map-index", "").status_code


def test_many_launches_at_once_lose_no_row(api):
    threads, beats = 32, 10
    tis = [api.queue(f"task{i}") for i in range(threads)]
    wrong = []

    def live(ti_id):
        answers = [api.run(ti_id)] + [api.beat(ti_id) for _ in range(beats)] + [api.report(ti_id, "success")]
        if [answer.status_code for answer in answers] != [200] + [204] * (beats + 1):
            wrong.append(answers)

    running = [threading.Thread(target=live, args=(ti_id,)) for ti_id in tis]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    assert not wrong
    for ti_id in tis:
        assert ["queued", "running", "success"] == [move[1] for move in api.moves(ti_id)]


def test_of_many_launches_of_one_try_exactly_one_runs(api):
    ti_id = api.queue()
    answers = []
    threads = [threading.Thread(target=lambda pid=pid: answers.append(api.run(ti_id, pid=pid))) for pid in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [200] + [409] * 15 == sorted(answer.status_code for answer in answers)
    assert ["queued", "running"] == [move[1] for move in api.moves(ti_id)]
