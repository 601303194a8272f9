"""Tasks: options, calls, and how they depend on each other."""

import functools
from datetime import timedelta

import pytest

from airlock.sdk import DAG, BaseOperator, XComArg, task
from airlock.standard.operators.python import PythonOperator


@task
def source():
    return 1


@task
def sink(value=None, *rest, other=None, **more): ...


def upstream(dag):
    return {name: sorted(made.upstream_task_ids) for name, made in dag.task_dict.items()}


def test_a_value_passed_on_makes_a_dependency_at_any_depth():
    with DAG("d") as made:
        sink(source(), {"a": [source()]}, other=(source(),), more={"x": source()["key"]})

    assert ["source", "source__1", "source__2", "source__3"] == upstream(made)["sink"]


def test_templates_may_hold_values_too():
    with DAG("d") as made:
        sink.override(templates_dict={"a": source()})()

    assert ["source"] == upstream(made)["sink"]


def test_arrows_work_with_lists_on_either_side():
    with DAG("d") as made:
        a, b, c, e = (sink.override(task_id=name)() for name in "abce")
        last = a >> [b, c] >> e

    assert last is e
    assert {"a": [], "b": ["a"], "c": ["a"], "e": ["b", "c"]} == upstream(made)


def test_arrows_work_backwards_and_as_methods():
    with DAG("d") as made:
        a, b, c = (sink.override(task_id=name)() for name in "abc")
        c << b
        a.set_downstream([b])
        [c] << a
        made.get_task("c").set_upstream(made.get_task("a"))

    assert {"a": [], "b": ["a"], "c": ["a", "b"]} == upstream(made)


def test_a_dependency_stays_in_its_dag():
    with DAG("one"):
        a = source()
    with DAG("two"), pytest.raises(ValueError, match="'source' is in DAG 'one' and task 'sink' in DAG 'two'"):
        sink(a)


def test_a_task_that_was_not_called_is_no_operand():
    with DAG("d"), pytest.raises(TypeError, match="call the task: its function alone is not a task yet"):
        source() >> sink


def test_a_task_does_not_run_before_itself():
    with DAG("d"):
        a = source()

    with pytest.raises(ValueError, match="'source' cannot run before itself"):
        a >> a


def test_a_task_called_outside_a_dag_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"call it inside `with DAG\(\.\.\.\):`.*source.function"):
        source()
    assert 1 == source.function()


def test_the_value_of_a_task_is_not_there_while_the_dag_is_written():
    with DAG("d"):
        value = source()

    with pytest.raises(TypeError, match="is not known while the DAG is written"):
        list(value)
    with pytest.raises(TypeError, match="has no item 0 yet"):
        value[0]


def test_in_text_a_value_is_a_template():
    with DAG("d"):
        text = f"got {source()}"

    assert "got {{ task_instance.xcom_pull(task_ids='source', dag_id='d', key='return_value') }}" == text


def test_times_are_timedeltas_or_seconds():
    @task(retry_delay=timedelta(minutes=1), execution_timeout=90)
    def timed(): ...

    with DAG("d") as made:
        timed()

    timed_task = made.task_dict["timed"]
    assert (timedelta(seconds=60), timedelta(seconds=90)) == (timed_task.retry_delay, timed_task.execution_timeout)


@pytest.mark.parametrize(("retries", "count"), [("3", 3), (2, 2), (None, 0)])
def test_retries_may_be_written_as_text(retries, count):
    with DAG("d"):
        task(retries=retries)(lambda: 1).override(task_id="shared")()
        plain = BaseOperator(task_id="plain", retries=retries)
        mapped = PythonOperator.partial(task_id="mapped", python_callable=print, retries=retries).expand(op_args=[[1]])

    assert [count, count, count] == [plain.dag.task_dict["shared"].retries, plain.retries, mapped.retries]


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"retry": 1}, TypeError, "@task has no option 'retry'; did you mean 'retries'?"),
        ({"retries": -1}, ValueError, "@task: retries must be 0 or more, not -1"),
        ({"retries": True}, TypeError, "@task: retries must be a whole number, not bool"),
        ({"retry_delay": "5m"}, TypeError, "retry_delay must be a timedelta or a number of seconds, not str: '5m'"),
        ({"retry_delay": float("inf")}, ValueError, "retry_delay must be 0 seconds or more"),
        ({"execution_timeout": 0}, ValueError, "leave it out for no limit"),
        ({"task_id": "a b"}, ValueError, "task_id 'a b' must be 1 to 240 bytes of letters"),
        ({"do_xcom_push": None}, TypeError, "do_xcom_push must be bool"),
        ({"on_kill": 5}, TypeError, "on_kill must be a function"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_where_it_is_written(options, kind, text):
    with pytest.raises(kind) as raised:
        task(**options)

    assert text in str(raised.value)


def test_an_id_in_place_of_the_function_is_told_how_to_be_given():
    with pytest.raises(TypeError, match="@task\\(task_id='greet'\\)"):
        task("greet")


@pytest.mark.parametrize(
    ("annotation", "given", "expected"),
    [
        (dict, None, True),
        (dict[str, int], None, True),
        ("dict[str, int]", None, True),
        (int, None, False),
        (None, None, False),
        (dict, False, False),
        (int, True, True),
    ],
)
def test_a_dict_is_split_as_the_annotation_or_the_option_says(annotation, given, expected):
    def split(): ...

    split.__annotations__["return"] = annotation
    with DAG("d") as made:
        task(multiple_outputs=given)(split)()

    assert expected is made.task_dict["split"].multiple_outputs


def call(function, *args, **kwargs):
    with DAG("d"):
        return task(function)(*args, **kwargs)


def plain(a, b=1, *, c, ti): ...


def only_positions(a, /): ...


@functools.wraps(plain)
def wrapped(*args, **kwargs):
    return plain(*args, **kwargs)


@pytest.mark.parametrize("function", [plain, wrapped])
@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((1, 2), {"c": 3}, None),
        ((1,), {"c": 3, "ti": "mine"}, None),
        ((1, 2, 3), {"c": 3}, "() takes 2 positional arguments, and 3 were given"),
        ((1,), {}, "() misses the argument 'c'"),
        ((), {"c": 1}, "() misses the argument 'a'"),
        ((1,), {"a": 1, "c": 1}, "() got 'a' by position and again by name"),
        ((1,), {"c": 1, "bb": 1}, "() has no argument 'bb'; did you mean 'b'?"),
    ],
)
def test_a_call_that_could_only_fail_later_is_refused_now(function, args, kwargs, text):
    if text is None:
        assert isinstance(call(function, *args, **kwargs), XComArg)
    else:
        with pytest.raises(TypeError) as raised:
            call(function, *args, **kwargs)
        assert text in str(raised.value)


def test_positional_only_parameters_are_not_passed_by_name():
    assert isinstance(call(only_positions, 1), XComArg)
    with pytest.raises(TypeError, match="has no argument 'a'"):
        call(only_positions, a=1)


def test_a_callable_object_can_be_a_task():
    class Step:
        def __call__(self, a): ...

    with DAG("d") as made:
        task(task_id="step")(Step())(1)

    assert ["step"] == made.task_ids


def test_a_lambda_needs_an_id():
    with DAG("d"), pytest.raises(ValueError, match=r"@task\(task_id=\.\.\.\)"):
        task(lambda: 1)()
