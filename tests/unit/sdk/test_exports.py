"""The public list of `airlock.sdk`."""

import pytest

import airlock.sdk
from airlock.sdk import exceptions

#: ``io`` needs packages of its own.
NOT_FOR_AUTHORS = {"exceptions", "io"}


def test_every_public_name_is_in_the_list_and_the_list_is_sorted():
    assets = airlock.sdk._ASSETS
    public = {name for name in vars(airlock.sdk) if not name.startswith("_")} - NOT_FOR_AUTHORS

    assert public | assets == set(airlock.sdk.__all__)
    assert sorted(airlock.sdk.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == (
        airlock.sdk.__all__
    )


def test_a_name_that_is_imported_at_its_first_use_is_there_and_another_is_not():
    for name in airlock.sdk._ASSETS:
        assert name == getattr(airlock.sdk, name).__name__
    with pytest.raises(AttributeError, match="Assets"):
        _ = airlock.sdk.Assets


def test_the_tree_of_exceptions_is_drawn_in_full():
    kinds = {k for k, v in vars(exceptions).items() if isinstance(v, type) and issubclass(v, BaseException)}

    assert {kind for kind in kinds if f" {kind} " in (exceptions.__doc__ or "")} == kinds


def test_a_stop_is_no_exception_that_except_exception_would_catch():
    assert not issubclass(airlock.sdk.TaskTerminated, Exception)
