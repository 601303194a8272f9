"""The key of a task instance."""

from airlock_wire.identity import TaskInstanceKey


def test_a_task_that_is_not_mapped_has_the_map_index_minus_one():
    assert TaskInstanceKey("d", "r", "t", -1) == TaskInstanceKey("d", "r", "t")


def test_a_message_shows_the_parts_of_a_key_in_their_order():
    assert "d/r/t/3" == str(TaskInstanceKey("d", "r", "t", 3))
