"""The public list of `airlock.sdk`."""

import airlock.sdk
from airlock.sdk import exceptions

#: What the module needs itself, and ``io``, which needs packages of its own.
NOT_FOR_AUTHORS = {"Any", "TYPE_CHECKING", "exceptions", "io"}


def test_every_public_name_is_in_the_list_and_the_list_is_sorted():
    public = {name for name in vars(airlock.sdk) if not name.startswith("_")} - NOT_FOR_AUTHORS

    assert public == set(airlock.sdk.__all__)
    assert sorted(airlock.sdk.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == (
        airlock.sdk.__all__
    )


def test_the_tree_of_exceptions_is_drawn_in_full():
    kinds = {k for k, v in vars(exceptions).items() if isinstance(v, type) and issubclass(v, BaseException)}

    assert {kind for kind in kinds if f" {kind} " in (exceptions.__doc__ or "")} == kinds


def test_a_stop_is_no_exception_that_except_exception_would_catch():
    assert not issubclass(airlock.sdk.TaskTerminated, Exception)
