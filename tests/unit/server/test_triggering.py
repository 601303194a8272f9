"""Whether a task may make a DAG run: each refusal, and which of two comes first."""

from datetime import UTC, datetime

import pytest

from airlock_server.rules.triggering import DagFacts, Existing, Wish, refusal

PLAIN = DagFacts()
BROKEN = DagFacts(has_import_errors=True)
SCHEDULED_ONLY = DagFacts(allowed_run_types=["scheduled"])
PARTITIONED = DagFacts(is_partitioned=True)
NOTHING = Existing()


def wish(**fields):
    return Wish(**{"dag_id": "d", "run_id": "r", **fields})


@pytest.mark.parametrize(
    ("facts", "asked", "existing", "expected"),
    [
        (PLAIN, wish(), NOTHING, None),
        (PLAIN, wish(logical_date=datetime(2026, 1, 1, tzinfo=UTC)), NOTHING, None),
        (DagFacts(is_paused=True), wish(), NOTHING, None),
        (DagFacts(allowed_run_types=["operator_triggered"]), wish(), NOTHING, None),
        (BROKEN, wish(), NOTHING, (400, "import_errors")),
        (BROKEN, wish(), Existing(run=True), (400, "import_errors")),
        (SCHEDULED_ONLY, wish(), NOTHING, (400, "denied_run_type")),
        (DagFacts(allowed_run_types=[]), wish(), NOTHING, (400, "denied_run_type")),
        (PLAIN, wish(), Existing(run=True), (409, "already_exists")),
        (PLAIN, wish(run_id="a/b"), NOTHING, (400, "value_error")),
        (PLAIN, wish(run_id="a..b"), NOTHING, (400, "value_error")),
        (PLAIN, wish(run_id="r" * 241), NOTHING, (400, "value_error")),
        (PLAIN, wish(run_id="a..b"), Existing(run=True), (409, "already_exists")),
        (PLAIN, wish(partition_key="k"), NOTHING, (400, "not_partitioned")),
        (PLAIN, wish(partition_key=" "), NOTHING, (400, "not_partitioned")),
        (PARTITIONED, wish(), NOTHING, None),
        (PARTITIONED, wish(partition_key="k" * 250), NOTHING, None),
        (PARTITIONED, wish(partition_key=" "), NOTHING, (400, "invalid_partition_key")),
        (PARTITIONED, wish(partition_key=""), NOTHING, (400, "invalid_partition_key")),
        (PARTITIONED, wish(partition_key="k" * 251), NOTHING, (400, "invalid_partition_key")),
        (PLAIN, wish(), Existing(run_of_date="other"), (409, "already_exists")),
    ],
)
def test_a_run_is_made_or_refused_for_the_first_reason(facts, asked, existing, expected):
    answer = refusal(facts, asked, existing)

    assert expected == (None if answer is None else (answer.status, answer.reason))


def test_a_refusal_for_a_logical_date_names_the_run_that_has_it():
    answer = refusal(PLAIN, wish(), Existing(run_of_date="nightly"))

    assert "'nightly'" in answer.message
