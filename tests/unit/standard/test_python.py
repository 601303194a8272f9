"""PythonOperator: how it calls the author's function."""

from airlock.sdk.execution_time import log
from airlock.standard.operators.python import PythonOperator


def test_what_a_task_yields_beside_metadata_is_left_out_with_a_warning(monkeypatch):
    lines = []
    monkeypatch.setattr(log._Installed, "write", lambda level, text, logger: lines.append((level, text)))

    def rows():
        yield 1
        return 2

    assert 2 == PythonOperator(task_id="t", python_callable=rows).execute({})
    text = "The task yielded 1, which is ignored: a task returns its value, and yields Metadata"
    assert ("warning", text) == lines[0]


def test_arguments_that_the_function_cannot_take_are_left_out():
    operator = PythonOperator(task_id="t", python_callable=lambda a: a, op_kwargs={"a": 1, "b": 2})

    assert 1 == operator.execute({"ds": "2026-01-02"})
