"""The context of a task: a dict whose entries are attributes, and some of which are made when they are read."""

import copy

import jinja2
import pytest

from airlock.sdk.definitions.context import Context, Later
from airlock.sdk.execution_time.environment import render


@pytest.fixture
def made() -> list[str]:
    return []


@pytest.fixture
def context(made) -> Context:
    def make():
        made.append("date")
        return 7

    return Context(ds="2026-01-01", date=Later(make))


def keywords(**given):
    return given


@pytest.mark.parametrize(
    "read",
    [
        lambda c: c["date"],
        lambda c: c.date,
        lambda c: c.get("date"),
        lambda c: c.pop("date"),
        lambda c: c.setdefault("date", 1),
        lambda c: dict(c)["date"],
        lambda c: {**c}["date"],
        lambda c: keywords(**c)["date"],
        lambda c: dict(c.items())["date"],
        lambda c: list(c.values())[1],
        lambda c: c.copy()["date"],
        lambda c: copy.copy(c)["date"],
        lambda c: (c | {"more": 1})["date"],
        lambda c: {"more": 1, **c}["date"],
        lambda c: render(jinja2.nativetypes.NativeEnvironment().from_string("{{ date }}"), c),
    ],
)
def test_no_way_of_reading_shows_that_an_entry_was_not_made_yet(context, made, read):
    assert (7, ["date"]) == (read(context), made)


def test_an_entry_is_made_once(context, made):
    assert (14, ["date"]) == (context["date"] + context.date, made)


def test_nothing_is_made_for_a_question_about_names_or_a_template_that_names_others(context, made):
    text = render(jinja2.Environment(autoescape=True).from_string("{{ ds }}"), context)

    assert ("2026-01-01", ["ds", "date"], True, 2, []) == (text, list(context), "date" in context, len(context), made)


def test_a_name_that_is_not_there_is_an_error_that_names_one_that_is(context):
    with pytest.raises(AttributeError, match="'date'"):
        context.dates  # noqa: B018 - the question is what it raises
    with pytest.raises(KeyError):
        context.pop("nothing")
    assert (None, 5) == (context.get("nothing"), context.pop("nothing", 5))
