"""Writing DAGs: `DAG`, `@dag`, and what they refuse."""

from datetime import timedelta

import pytest

from airlock.sdk import DAG, BaseOperator, dag, task
from airlock.sdk.exceptions import TaskNotFound


@task
def noop(): ...


def test_tasks_called_inside_belong_to_the_dag_in_their_order():
    @task
    def other(): ...

    with DAG("d") as made:
        noop()
        other()
        noop()
        noop()

    assert ["noop", "other", "noop__1", "noop__2"] == made.task_ids
    assert made.get_task("noop__1").dag is made


def test_an_inner_dag_takes_the_tasks_until_it_ends():
    with DAG("outer") as outer:
        with DAG("inner") as inner:
            noop()
        noop()

    assert (1, 1) == (len(outer.tasks), len(inner.tasks))


def test_a_dag_knows_where_it_was_made():
    made = DAG("d")

    assert made.fileloc == __file__
    assert made.line > 0


@pytest.mark.parametrize("decorate", [dag, dag(), dag("given"), dag(dag_id="given"), dag(tags=["t"])])
def test_a_decorated_function_makes_a_dag_when_it_is_called(decorate):
    @decorate
    def pipeline():
        """What it is for."""
        noop()

    made = pipeline()

    assert made.dag_id in {"pipeline", "given"}
    assert ["noop"] == made.task_ids
    assert "What it is for." == made.doc_md
    assert (made.fileloc, made.line > 0) == (__file__, True)


def test_default_args_are_every_task_s_options_and_the_task_s_own_win():
    @task(retries=5)
    def own(): ...

    with DAG("d", default_args={"retries": 2, "retry_delay": timedelta(minutes=2)}) as made:
        noop()
        own()

    assert [2, 5] == [made.task_dict[name].retries for name in ("noop", "own")]
    assert made.task_dict["own"].retry_delay == timedelta(minutes=2)


def test_params_among_the_default_args_are_the_dags_and_a_task_s_own_win_over_them():
    class Own(BaseOperator):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)

    with DAG("d", params={"a": 1, "b": 1}, default_args={"params": {"b": 2, "c": 2}}) as made:
        plain = Own(task_id="plain")
        own = Own(task_id="own", params={"c": 3})
        mapped = Own.partial(task_id="mapped", params={"c": 4}).expand(doc=["x"])

    assert {"a": 1, "b": 2, "c": 2} == made.params.dump() == plain.params.dump()
    assert [{"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 4}] == [own.params.dump(), mapped.params.dump()]


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"tag": ["a"]}, TypeError, "DAG 'd' has no argument 'tag'; did you mean 'tags'?"),
        ({"tags": "a"}, TypeError, "tags must be a list of texts"),
        ({"start_date": "2026-01-01"}, TypeError, "start_date must be a datetime"),
        ({"default_args": ["retries"]}, TypeError, "default_args must be a dict"),
        ({"dagrun_timeout": 5}, TypeError, "DAG 'd': dagrun_timeout must be timedelta, not int: 5"),
        ({"max_active_runs": "5"}, TypeError, "max_active_runs must be int, not str: '5'"),
        ({"tags": ["x" * 101]}, ValueError, "tag cannot be longer than 100 characters"),
        ({"owner_links": {"me": "example.com"}}, ValueError, "wrong link format was used for the owner 'me'"),
        ({"dag_id": "a/b"}, ValueError, "dag_id 'a/b' must be 1 to 240 bytes of letters"),
        ({"dag_id": ".."}, ValueError, "without '..'"),
        ({"dag_id": ""}, ValueError, "1 to 240"),
        ({"dag_id": 7}, TypeError, "dag_id must be text, not int"),
    ],
)
def test_what_makes_no_dag_is_refused_by_name_with_the_fix(arguments, kind, text):
    with pytest.raises(kind) as raised:
        DAG(**{"dag_id": "d", **arguments})

    assert text in str(raised.value)


def test_a_missing_task_names_a_near_one():
    with DAG("d") as made:
        noop()

    with pytest.raises(TaskNotFound, match="did you mean 'noop'"):
        made.get_task("nop")


def test_a_circle_of_dependencies_is_found():
    with DAG("d") as made:
        a, b, c = noop(), noop(), noop()
        a >> b >> c

    assert [] == made.cycle()
    c >> b
    assert ["noop__1", "noop__2", "noop__1"] == made.cycle()
