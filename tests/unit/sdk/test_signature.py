"""Which parts of the context a function is given."""

import pytest

from airlock.sdk._signature import signature_of, with_context

CONTEXT = {"ti": "TI", "run_id": "r1", "params": {}}


def names_some(a, ti, run_id=None): ...


def takes_all(a, **context): ...


def names_a_date(ds): ...


def defaults_a_date(ds="none"): ...


def names_nothing(a=1): ...


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "expected"),
    [
        (names_some, (1,), {}, {"ti": "TI", "run_id": "r1"}),
        (names_some, (1, "mine"), {}, {"run_id": "r1"}),
        (names_some, (1,), {"ti": "mine"}, {"ti": "mine", "run_id": "r1"}),
        (takes_all, (1,), {"x": 2}, {**CONTEXT, "x": 2}),
        (takes_all, (), {"a": 1, "ti": "mine"}, {**CONTEXT, "a": 1, "ti": "mine"}),
        (names_a_date, (), {}, {"ds": None}),
        (defaults_a_date, (), {}, {}),
        (names_nothing, (), {}, {}),
        (names_nothing, (), {"a": 2, "more": 3}, {"a": 2}),
        (names_a_date, (), {"more": 3}, {"ds": None}),
    ],
)
def test_a_function_gets_what_it_names_and_the_author_s_own_values_win(function, args, kwargs, expected):
    assert expected == with_context(signature_of(function), args, kwargs, CONTEXT)
