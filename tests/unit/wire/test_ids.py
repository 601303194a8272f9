"""The one rule of ids, and what it refuses."""

import functools
import re
import sys
from pathlib import Path

import pytest
import yaml

from airlock.sdk import DAG
from airlock_wire import ids

ROOT = Path(__file__).resolve().parents[3]

FINE = ["a", "A_b-c.d", "-dash", ".dot", "schön", "日本語", "x" * 240, "é" * 120]
REFUSED = [
    "", ".", "..", "a..b", "a/b", "a b", "a\n", "a\0", "x\x1b[2J", "a%2Fb", "a\\b", "a:b", "a?b", "a#b", "x/../../etc",
    "a\u202eb", "\ud800", "x" * 241, "é" * 121, "日" * 81,
]  # fmt: skip


@pytest.mark.parametrize("value", FINE)
def test_an_id_of_letters_digits_and_marks_is_fine(value):
    assert "" == ids.problem(value)
    assert value == DAG(value).dag_id


@pytest.mark.parametrize("value", REFUSED)
def test_any_other_id_is_refused_and_the_sdk_says_the_same(value):
    wrong = ids.problem(value)

    assert "must" in wrong
    with pytest.raises(ValueError, match=re.escape(wrong)):
        DAG(value)


def test_a_run_id_may_hold_a_moment_and_no_path():
    assert "" == ids.run_problem("scheduled__2026-01-01T00:00:00+00:00")
    assert "" != ids.run_problem("a/b")
    assert "" != ids.run_problem("x" * 241)


def test_an_id_at_the_limit_fits_into_the_name_of_a_folder():
    assert max(len("task_id="), len("run_id="), len("dag_id=")) + ids.MAX_ID_BYTES <= 255


@functools.cache
def _definition():
    return yaml.safe_load((ROOT / "manifests/crd/taskruns.yaml").read_text())


def _field(name):
    return _definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][name]


def _admits(field, value):
    """What the API server does with the field's schema: a pattern of Go's, and rules, of which these are all."""
    pattern = field["pattern"].replace(r"\p{L}\p{N}", r"\w")
    rules = {rule["rule"] for rule in field["x-kubernetes-validations"]}
    limit = f"bytes(self).size() <= {ids.MAX_ID_BYTES}"
    assert {"!self.contains('..')", "self != '.'", limit, "self == oldSelf"} == rules
    fits = len(value.encode("utf-8", "surrogatepass")) <= ids.MAX_ID_BYTES and len(value) <= field["maxLength"]
    return bool(re.search(pattern, value)) and not value.endswith("\n") and ".." not in value and value != "." and fits


@pytest.mark.parametrize("name", ["dagId", "taskId", "runId"])
@pytest.mark.parametrize("value", [*FINE, *REFUSED, "scheduled__2026-01-01T00:00:00+00:00"])
def test_the_resource_has_the_same_rule(name, value):
    marks = ids.RUN_ID_MARKS if name == "runId" else ids.ID_MARKS

    assert (ids.problem(value, marks) == "") == _admits(_field(name), value)


def test_every_letter_of_pythons_is_a_letter_or_number_of_unicode():
    """The resource says it by Unicode's classes, the rest by ``str.isalnum``."""
    import unicodedata

    odd = [c for c in map(chr, range(sys.maxunicode)) if c.isalnum() != (unicodedata.category(c)[0] in "LN")]

    assert [] == odd
