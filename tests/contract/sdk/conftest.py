import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PATHS = [str(ROOT / member / "src") for member in ("wire", "sdk")]


@pytest.fixture(scope="session")
def beside(run_driver):
    """Tries rows of signatures and of cases with Airflow's SDK and ours, in one process; [theirs, ours] for each."""

    def run(signatures=(), cases=()):
        given = {"paths": PATHS, "signatures": list(signatures), "cases": list(cases)}
        printed = run_driver(HERE / "drivers" / "beside.py", json.dumps(given).encode())
        return json.loads(printed.splitlines()[-1])

    return run


def different(signatures):
    """The pairs of signatures that differ. A default that theirs makes anew for each call may be anything of ours."""

    def same(theirs, ours):
        if theirs is None or ours is None:
            return theirs == ours
        return [
            (*each[:2], "unset" if each[2] == "unset" and own[2] != "required" else each[2])
            for each, own in zip(theirs, ours, strict=False)
        ] == [
            (*own[:2], "unset" if each[2] == "unset" and own[2] != "required" else own[2])
            for each, own in zip(theirs, ours, strict=False)
        ] and len(theirs) == len(ours)

    return {name: pair for name, pair in signatures.items() if not same(*pair)}


def without_text(answer):
    """An answer to a case without the words of its error, which are each side's own."""
    return {key: value for key, value in answer.items() if key != "text"}
