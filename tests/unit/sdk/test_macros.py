"""Macros. tests/contract/sdk has them beside Airflow's."""

import pytest
from doubles.imports import imported_by

from airlock.sdk.execution_time import macros


def test_dates_are_moved_and_rewritten():
    assert "2026-02-28" == macros.ds_add("2026-03-01", -1)
    assert "01-03-26" == macros.ds_format("2026-03-01", "%Y-%m-%d", "%d-%m-%y")


def test_modules_are_imported_at_their_first_use():
    assert {"json", "uuid", "random", "yaml", "dateutil"} & imported_by("airlock.sdk.execution_time.macros") <= {"uuid"}
    assert '{"a": 1}' == macros.json.dumps({"a": 1})
    assert 2026 == macros.datetime(2026, 1, 1).year
    with pytest.raises(AttributeError, match="no 'nothing'"):
        _ = macros.nothing
