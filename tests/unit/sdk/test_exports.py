"""The public list of `airlock.sdk`."""

from types import ModuleType

import pytest

import airlock.sdk
from airlock.sdk import exceptions


def test_every_public_name_is_in_the_list_and_the_list_is_sorted():
    # Modules are imported by their paths.
    values = {name: value for name, value in vars(airlock.sdk).items() if not isinstance(value, ModuleType)}
    public = {name for name in values if not name.startswith("_")}

    assert public | set(airlock.sdk._HOME) == {*airlock.sdk.__all__, "ObjectStoragePath"}
    for names in airlock.sdk._HOMES.values():
        assert sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == list(names)


def test_a_name_that_is_imported_at_its_first_use_is_there_and_another_is_not():
    for name in airlock.sdk.__all__:
        assert getattr(airlock.sdk, name) is getattr(airlock.sdk, name)
    with pytest.raises(AttributeError, match="Assets"):
        _ = airlock.sdk.Assets


def test_the_tree_of_exceptions_is_drawn_in_full():
    kinds = {k for k, v in vars(exceptions).items() if isinstance(v, type) and issubclass(v, BaseException)}

    assert {kind for kind in kinds if f" {kind} " in (exceptions.__doc__ or "")} == kinds


def test_a_stop_is_no_exception_that_except_exception_would_catch():
    assert not issubclass(airlock.sdk.TaskTerminated, Exception)


def test_the_settings_of_a_provider_that_dag_files_ask_for_are_known_without_it():
    from airlock.sdk.configuration import conf

    assert ("default", "") == (
        conf.get("kubernetes_executor", "namespace"),
        conf.get("kubernetes_executor", "worker_container_repository"),
    )
