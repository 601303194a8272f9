"""Nothing but the order of the tests, and which are slow: fixtures are in each folder."""

import pytest

#: Folders whose tests start processes and wait for them.
_OF_PROCESSES = {"dag_processor", "executor", "faults", "operator", "runner", "setup", "sidecar", "stores", "tiers"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """The slowest first: what takes minutes must not be what a whole run waits for in the end."""
    for item in items:
        if (_starts_processes(item) or _needs_postgresql(item)) and item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.slow(seconds=1))
    items.sort(key=_slowness, reverse=True)


def _slowness(item):
    mark = item.get_closest_marker("slow")
    return mark.kwargs.get("seconds", 5) if mark else 0


def _starts_processes(item):
    parts = item.path.parts
    return "component" in parts and parts[parts.index("component") + 1] in _OF_PROCESSES


def _needs_postgresql(item):
    """On SQLite the same test is in `make unit`."""
    callspec = getattr(item, "callspec", None)
    return "postgresql" in item.fixturenames or (callspec is not None and "postgresql" in callspec.params.values())
