"""Nothing but the order of the tests: fixtures are in each folder."""


def pytest_collection_modifyitems(items):
    """The slow ones first: what takes minutes must not be what a whole run waits for in the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
