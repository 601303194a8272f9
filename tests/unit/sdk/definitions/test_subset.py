"""Parts of a DAG: what stands before and after a task, up to a depth, and copies with some of the tasks."""

import pytest

from airlock.sdk import DAG, BaseOperator


class Op(BaseOperator):
    def execute(self, context): ...


@pytest.fixture
def dag():
    """first >> second >> third >> fourth, with a setup and its teardown around third."""
    with DAG("d") as dag:
        first, second, third, fourth = (Op(task_id=name) for name in ("first", "second", "third", "fourth"))
        setup, teardown = Op(task_id="up").as_setup(), Op(task_id="down").as_teardown()
        first >> second >> third >> fourth
        setup >> third >> teardown
        setup >> teardown
    return dag


@pytest.mark.parametrize(
    ("depth", "before"),
    [(None, {"first", "second", "up"}), (0, set()), (1, {"second", "up"}), (2, {"first", "second", "up"})],
)
def test_what_is_before_a_task_is_found_up_to_a_depth(dag, depth, before):
    third = dag.get_task("third")

    assert before == third.get_flat_relative_ids(upstream=True, depth=depth)
    assert before == {each.task_id for each in third.get_flat_relatives(upstream=True, depth=depth)}
    followed = {each.task_id for each in third.get_upstreams_follow_setups(depth=depth)}
    assert before | ({"down"} if "up" in before else set()) == followed


def test_a_negative_depth_is_refused(dag):
    with pytest.raises(ValueError, match="depth is -1; it is a number of arrows"):
        dag.get_task("third").get_flat_relative_ids(depth=-1)


@pytest.mark.parametrize(
    ("chosen", "options", "kept"),
    [
        (["second"], {}, {"first", "second"}),
        (["second"], {"include_upstream": False}, {"second"}),
        (["second"], {"include_downstream": True}, {"first", "second", "third", "fourth", "up", "down"}),
        (["fourth"], {"depth": 1}, {"third", "fourth"}),
        (["third"], {"include_upstream": False}, {"third", "up", "down"}),
        (["up"], {"include_upstream": False}, {"up", "down"}),
        (["fourth"], {"include_upstream": False, "include_direct_upstream": True}, {"third", "fourth"}),
        ("ir", {"include_upstream": False}, {"first", "third", "up", "down"}),
        (["absent"], {}, set()),
    ],
)
def test_a_copy_has_the_chosen_tasks_and_what_they_need(dag, chosen, options, kept):
    subset = dag.partial_subset(chosen, **options)

    assert kept == set(subset.task_ids)
    assert 6 == len(dag.task_ids)
    assert all(each.get_dag() is subset for each in subset.tasks)
