"""The ids in a message: one rule for every field of every message that names a DAG, a run or a task."""

import typing

import pytest
from contract.wire import samples

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import naming
from airlock_sidecar.requests.routes import ROUTES
from airlock_wire.protocol import changes, messages, whole

OWN = {"ti_id": "0198a5c2-3a4b-7c5d-8e6f-112233445566", "dag_id": "etl", "run_id": "r", "task_id": "t", "map_index": -1}
ODD = [
    "", ".", "..", "a..b", "a/b", "/", "a\\b", "a%2Fb", "a%b", "a?b", "a#b", "a\nb", "a\x00b", "a\x7fb", "a\x85b",
    "a\u2028b", "a\uff0fb", "\uff0e\uff0e", "a\uff05b", "\u2025", "a\uff3cb",
]  # fmt: skip
FINE = [
    "a",
    "a.b",
    "manual__2026-01-02T03:04:05+00:00",
    "näch",
    "日本",
    "with space",
    "~a",
    "_",
    "-",
    "a" * 250,
]


def ids_of():
    """(message, field) for each place of an id in each message that a runner may send."""
    for kind in (*typing.get_args(whole.FromTask), whole.LargeSetXCom):
        for field in kind.__struct_fields__:
            if field in (*naming.ONE, *naming.SEVERAL):
                yield kind, field


@pytest.mark.parametrize("value", ODD)
def test_what_is_no_id(value):
    assert True is naming.odd(value)


@pytest.mark.parametrize("value", FINE)
def test_what_is_an_id(value):
    assert False is naming.odd(value)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("kind", "field"), list(ids_of()), ids=lambda each: getattr(each, "__name__", each))
def test_a_slash_in_an_id_of_any_message_is_refused(kind, field, odd):
    full = samples.FULL["SetXCom" if kind is whole.LargeSetXCom else kind.__name__]
    values = {name: getattr(full, name) for name in kind.__struct_fields__}
    for value in [odd] if field in naming.ONE else [[odd], ["fine", odd], *([[[odd, 1]]] if field == "tasks" else [])]:
        with pytest.raises(NotAllowed, match=field):
            ROUTES[kind].request(kind(**values | {field: value}), OWN)


def test_no_field_that_names_a_dag_a_run_or_a_task_has_a_name_that_the_check_does_not_know():
    known = {*naming.ONE, *naming.SEVERAL, "ti_id"}
    fields = {field for kind in typing.get_args(whole.FromTask) for field in kind.__struct_fields__}

    assert known == {field for field in fields if any(word in field for word in ("dag_id", "run_id", "task", "ti_id"))} - {
        # What a success claims to have written names assets.
        "task_outlets"
    }  # fmt: skip


@pytest.mark.parametrize("odd", [7, None, ["a"], ["a", True], ["a", 1, 2], [["a", 1], 2]])
def test_a_task_to_skip_is_an_id_or_a_pair_of_one_and_a_map_index(odd):
    with pytest.raises(NotAllowed):
        ROUTES[changes.SkipDownstreamTasks].request(changes.SkipDownstreamTasks(tasks=[odd]), OWN)


def test_a_key_may_have_slashes():
    asked = messages.GetXCom(key="a/b", dag_id="d", run_id="r", task_id="t")

    assert "/xcoms/d/r/t/a%2Fb" == ROUTES[messages.GetXCom].request(asked, OWN).path
