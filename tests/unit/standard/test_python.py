"""PythonOperator: how it calls the author's function."""

import pytest

from airlock.sdk import Asset, Metadata
from airlock.sdk.execution_time import log
from airlock.standard.operators.python import PythonOperator


@pytest.mark.parametrize(
    ("yielded", "text"),
    [
        (1, "The task yielded 1, which is ignored: a task returns its value, and yields Metadata"),
        (Metadata(Asset("a")), "which is ignored: it has no outlets; name the asset in outlets="),
    ],
)
def test_what_a_task_yields_and_nothing_can_take_is_left_out_with_a_warning(monkeypatch, yielded, text):
    lines = []
    monkeypatch.setattr(log._Installed, "write", lambda level, text, logger: lines.append((level, text)))

    def rows():
        yield yielded
        return 2

    operator = PythonOperator(task_id="t", python_callable=rows)

    assert 2 == operator.execute({"task": operator})
    assert "warning" == lines[0][0]
    assert text in lines[0][1]


def test_arguments_that_the_function_cannot_take_are_left_out():
    operator = PythonOperator(task_id="t", python_callable=lambda a: a, op_kwargs={"a": 1, "b": 2})

    assert 1 == operator.execute({"ds": "2026-01-02"})
