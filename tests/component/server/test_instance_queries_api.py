"""Questions about other task instances and DAG runs, over HTTP, with a real database."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from airlock_server.store import schema

DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]


def ask(api, path, **query):
    return api.http.get(path, params=query, headers=api.anyone)


@pytest.fixture
def runs(api):
    """Three runs of a DAG, one a day, each with a task and a mapped one."""
    ids = {}
    for day, moment in enumerate(DAYS, 1):
        for task, index in (("load", -1), ("square", 0), ("square", 1)):
            ids[day, task, index] = api.queue(task, run_id=f"day{day}", map_index=index, now=moment)
    for ti_id in ids.values():
        api.run(ti_id)
    api.report(ids[1, "load", -1], "success")
    api.report(ids[2, "load", -1], "failed")
    api.report(ids[1, "square", 0], "skipped")
    return ids


def set_run(api, run_id, **values):
    table = schema.dag_run
    api.db.write(lambda conn: conn.execute(sa.update(table).where(table.c.run_id == run_id).values(**values)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 9),
        ({"map_index": 0}, 3),
        ({"task_ids": ["load"]}, 3),
        ({"task_ids": ["load", "square"], "run_ids": ["day1"]}, 3),
        ({"logical_dates": [DAYS[0].isoformat(), DAYS[2].isoformat()]}, 6),
        ({"states": ["success", "failed"]}, 2),
        ({"states": ["null"]}, 0),
        ({"run_ids": ["never"]}, 0),
    ],
)
def test_task_instances_are_counted_by_what_the_query_names(api, runs, query, expected):
    assert expected == ask(api, "/task-instances/count", dag_id="dag", **query).json()
    assert 0 == ask(api, "/task-instances/count", dag_id="other", **query).json()


def test_states_are_told_by_run_and_by_task_with_its_map_index(api, runs):
    answer = ask(api, "/task-instances/states", dag_id="dag", run_ids=["day1", "day2"], task_ids=["load", "square"])
    assert {
        "day1": {"load": "success", "square_0": "skipped", "square_1": "running"},
        "day2": {"load": "failed", "square_0": "running", "square_1": "running"},
    } == answer.json()["task_states"]


def test_breadcrumbs_are_the_task_instances_that_have_ended(api, runs):
    rows = ask(api, "/task-instances/breadcrumbs", dag_id="dag", run_id="day1").json()["breadcrumbs"]
    assert {("load", -1, "success"), ("square", 0, "skipped")} == {
        (row["task_id"], row["map_index"], row["state"]) for row in rows
    }
    assert [0.0, 0.0] == [row["duration"] for row in rows]


@pytest.mark.parametrize(
    ("query", "run_id"),
    [
        ({}, "day3"),
        ({"logical_date": DAYS[2].isoformat()}, "day2"),
        ({"logical_date": DAYS[2].isoformat(), "state": "success"}, "day1"),
        ({"logical_date": DAYS[0].isoformat()}, None),
        ({"map_index": 7}, None),
    ],
)
def test_the_previous_task_instance_is_that_of_the_newest_run_that_fits(api, runs, query, run_id):
    found = ask(api, "/task-instances/previous/dag/load", **query).json()
    assert run_id == (found and found["run_id"])


def test_the_previous_successful_run_is_the_newest_one_before(api, runs):
    ti_id = runs[3, "load", -1]
    nothing = dict.fromkeys(("data_interval_start", "data_interval_end", "start_date", "end_date"))
    assert nothing == api.call("GET", ti_id, "previous-successful-dagrun").json()
    set_run(api, "day1", state="success", end_date=DAYS[0] + timedelta(hours=1))
    answer = api.call("GET", ti_id, "previous-successful-dagrun").json()
    assert ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z") == (answer["data_interval_start"], answer["end_date"])
    missing = "01890000-0000-7000-8000-000000000009"
    assert nothing == api.call("GET", missing, "previous-successful-dagrun").json()


@pytest.mark.parametrize(
    ("path", "query", "where"),
    [
        ("/task-instances/count", {}, "dag_id"),
        ("/task-instances/count", {"dag_id": "d", "map_index": "x"}, "map_index"),
        ("/task-instances/count", {"dag_id": "d", "logical_dates": ["2026-01-01T00:00:00"]}, "logical_dates"),
        ("/task-instances/previous/d/t", {"state": "odd"}, "state"),
        ("/task-instances/previous/d/t", {"logical_date": "yesterday"}, "logical_date"),
        ("/task-instances/breadcrumbs", {"dag_id": "d"}, "run_id"),
        ("/dag-runs/count", {}, "dag_id"),
        ("/dag-runs/previous", {"dag_id": "d"}, "logical_date"),
        ("/dag-runs/previous", {"dag_id": "d", "logical_date": DAYS[0].isoformat(), "state": "odd"}, "state"),
    ],
)
def test_a_query_of_another_shape_is_refused_by_its_name(api, path, query, where):
    answer = ask(api, path, **query)
    assert (422, ["query", where]) == (answer.status_code, answer.json()["detail"][0]["loc"][:2])


def test_a_task_group_that_nobody_knows_is_not_found(api):
    assert 404 == ask(api, "/task-instances/count", dag_id="dag", task_group_id="g").status_code


def test_dag_runs_are_read_counted_and_found_by_date(api, runs):
    set_run(api, "day1", state="success")
    assert "day2" == ask(api, "/dag-runs/dag/day2").json()["run_id"]
    assert {"state": "success"} == ask(api, "/dag-runs/dag/day1/state").json()
    assert [404, 404] == [ask(api, f"/dag-runs/dag/never{end}").status_code for end in ("", "/state")]
    assert 3 == ask(api, "/dag-runs/count", dag_id="dag").json()
    assert 1 == ask(api, "/dag-runs/count", dag_id="dag", states=["success"]).json()
    assert 1 == ask(api, "/dag-runs/count", dag_id="dag", run_ids=["day3", "never"]).json()
    before = {"dag_id": "dag", "logical_date": DAYS[2].isoformat()}
    assert "day2" == ask(api, "/dag-runs/previous", **before).json()["run_id"]
    assert "day1" == ask(api, "/dag-runs/previous", **before, state="success").json()["run_id"]
    assert None is ask(api, "/dag-runs/previous", dag_id="dag", logical_date=DAYS[0].isoformat()).json()


def test_downstream_tasks_are_skipped_but_for_those_that_run_or_have_ended(api):
    one, ended, running = api.running("one"), api.running("ended"), api.running("running")
    waiting, mapped = api.queue("waiting"), api.queue("mapped", map_index=2)
    api.report(ended, "success")
    body = {"tasks": ["ended", "running", "waiting", ["mapped", 2], "never"]}
    assert [204, 204] == [api.call("PATCH", one, "skip-downstream", body).status_code for _ in range(2)]
    rows = [api.row(each).state for each in (ended, running, waiting, mapped)]
    assert ["success", "running", "skipped", "skipped"] == rows
    assert [("queued", "skipped", "task")] == api.moves(waiting)[1:]
    missing = "01890000-0000-7000-8000-000000000009"
    assert 404 == api.call("PATCH", missing, "skip-downstream", body).status_code
    assert 422 == api.call("PATCH", one, "skip-downstream", {"tasks": [["a"]]}).status_code


def test_a_rescheduled_try_knows_when_it_first_started(api):
    ti_id = api.running()

    def first_start():
        return api.http.get(f"/task-reschedules/{ti_id}/start_date", headers=api.own(ti_id)).json()

    assert None is first_start()
    api.report(ti_id, "up_for_reschedule", reschedule_date="2026-01-01T01:00:00Z")
    began = first_start()
    api.force(ti_id, "queued")
    api.run(ti_id)
    api.report(ti_id, "up_for_reschedule", reschedule_date="2026-01-01T02:00:00Z")
    assert "2026-01-01T00:00:00Z" == began == first_start()


QUESTION = {"options": ["yes", "no"], "subject": "Go on?", "type": "HITLDetailRequest"}


def hitl(api, ti_id, method, body=None):
    content = None if body is None else {"ti_id": ti_id, **body}
    return api.http.request(method, f"/hitlDetails/{ti_id}", json=content, headers=api.own(ti_id))


def test_a_question_is_asked_answered_once_and_asked_anew(api):
    ti_id = api.running()
    assert 404 == hitl(api, ti_id, "GET").status_code
    assert 404 == hitl(api, ti_id, "PATCH", {"chosen_options": ["yes"]}).status_code
    question = hitl(api, ti_id, "POST", QUESTION)
    assert (201, "Go on?", False) == (question.status_code, question.json()["subject"], question.json()["multiple"])
    assert not hitl(api, ti_id, "GET").json()["response_received"]
    answers = [hitl(api, ti_id, "PATCH", {"chosen_options": ["no"], "params_input": {"n": 1}}) for _ in range(2)]
    assert [200, 409] == [each.status_code for each in answers]
    shown = hitl(api, ti_id, "GET").json()
    assert (True, ["no"], {"n": 1}) == (shown["response_received"], shown["chosen_options"], shown["params_input"])
    assert 201 == hitl(api, ti_id, "POST", QUESTION).status_code
    assert not hitl(api, ti_id, "GET").json()["response_received"]


@pytest.mark.parametrize("body", [{"options": [], "subject": "s"}, {"options": ["a"]}, {"subject": "s"}])
def test_a_question_of_another_shape_is_refused(api, body):
    assert 422 == hitl(api, api.running(), "POST", body).status_code
