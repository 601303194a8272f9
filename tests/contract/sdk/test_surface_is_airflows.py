"""The SDK's whole surface: each public name is called as Airflow's is, and each public method of a class too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from contract.sdk.surface import DIFFERENT

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).parent / "drivers/surface.py"
#: The forms of a default that say no more than that there is one.
VAGUE = ("made at the call", "an object", "a class or function")


@pytest.fixture(scope="module")
def theirs(airflow_python, airflow_env):
    done = subprocess.run(
        [airflow_python, DRIVER, "airflow.sdk"], input="null", env=airflow_env, capture_output=True, text=True, timeout=100
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def ours(theirs):
    done = subprocess.run(
        [sys.executable, "-P", DRIVER, "airlock.sdk"], input=json.dumps(sorted(theirs)), capture_output=True, text=True, timeout=100
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def same(parameter, other):
    """Whether two parameters are of one kind with the same default, as far as a text can tell."""
    if parameter is None or other is None or parameter == other:
        return parameter == other
    defaults = (parameter[1], other[1])
    return parameter[0] == other[0] and "required" not in defaults and any(each in VAGUE for each in defaults)


def differs(call, other):
    return other is None or any(not same(call.get(name), other.get(name)) for name in call.keys() | other.keys())


def test_the_sdk_has_every_name(theirs, ours):
    assert theirs.keys() == ours.keys()
    assert 90 < len(ours)


def test_what_is_called_otherwise_than_in_airflow_is_exactly_what_is_listed(theirs, ours):
    different = set()
    for name, their in theirs.items():
        our = ours[name]
        if their["call"] is not None and differs(their["call"], our["call"]):
            different.add(name)
        different |= {
            f"{name}.{method}" for method, call in their["members"].items() if differs(call, our["members"].get(method))
        }
    listed = {name for names in DIFFERENT.values() for name in names.split()}

    assert listed == different, f"now equal: {sorted(listed - different)}; not listed: {sorted(different - listed)}"


def test_the_comparison_sees_most_of_the_surface(theirs):
    assert 250 < sum(1 + len(each["members"]) for each in theirs.values())
