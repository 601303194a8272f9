"""What holds for every tier: long forms are left to `make soak`, and no test fails because the machine is busy."""

import os

import hypothesis

# How fast examples are made says nothing about the code, and other tiers run beside this one.
hypothesis.settings.register_profile(
    "ours",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)
hypothesis.settings.load_profile("ours")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("AIRLOCK_SOAK"):
        return
    kept = [item for item in items if item.get_closest_marker("soak") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept
