"""Which values of a task another task's instance gets: one, that of its own map index, or all."""

from typing import Any, Final

#: The relation to a task that is mapped, seen from outside its group: all of its values.
ALL: Final = "all"
#: The relation to a task that is not mapped.
ONE: Final = "one"


def relation(task: Any, upstream: Any) -> str | Any:
    """
    Returns ONE, ALL, or the mapped group that both are in, where only the value of the same group index counts.
    """
    if not upstream.is_mapped and upstream.get_closest_mapped_task_group() is None:
        return ONE
    own_groups = list(task.iter_mapped_task_groups())
    for group in upstream.iter_mapped_task_groups():
        if any(group is each for each in own_groups):
            return group
    return ALL


def same_index(task: Any, upstream: Any, group: Any, map_index: int) -> int | range:
    """
    Returns the map index of ``upstream`` that belongs to one of ``task``, or several where the upstream task is in a
    further mapped group. Both are in ``group``. Groups inside have lengths that the file says.
    """
    own, other = _times(task, group), _times(upstream, group)
    first = map_index // own
    return first if other == 1 else range(first * other, (first + 1) * other)


def _times(task: Any, group: Any) -> int:
    """Returns how many instances a task has for each index of a group around it."""
    times = 1
    if task.is_mapped:
        times *= task.expand_input.get_parse_time_length() or 1
    for each in task.iter_mapped_task_groups():
        if each is group:
            break
        times *= each.expand_input.get_parse_time_length() or 1
    return times


def is_mapped_over(task: Any) -> bool:
    """Tells whether a task or group after this one is mapped over its value: then the value must have a length."""
    if not task.downstream_task_ids:
        return False
    for after in task.downstream_list:
        inputs = [after.expand_input] if after.is_mapped else []
        own = {id(group) for group in task.iter_mapped_task_groups()}
        inputs += [group.expand_input for group in after.iter_mapped_task_groups() if id(group) not in own]
        for each in inputs:
            if any(operator.task_id == task.task_id for operator, _ in each.iter_references()):
                return True
    return False
