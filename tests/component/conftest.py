"""Nothing but the order of the tests: fixtures are in each folder."""


def pytest_collection_modifyitems(items):
    """The slowest first: what takes minutes must not be what a whole run waits for in the end."""
    items.sort(key=_slowness, reverse=True)


def _slowness(item):
    mark = item.get_closest_marker("slow")
    return mark.kwargs.get("seconds", 5) if mark else 0
