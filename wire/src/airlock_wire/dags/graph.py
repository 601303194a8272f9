"""
Finds circles among ids that point to ids.
"""

from collections.abc import Mapping, Sequence


def cycle(arrows: Mapping[str, Sequence[str]]) -> list[str]:
    """
    Returns the ids on a circle, the first of them again at its end; empty if there is no circle.

    An id without arrows of its own need not be a key.
    """
    done: set[str] = set()
    for start in arrows:
        if start not in done and (circle := _circle_from(start, arrows, done)):
            return circle
    return []


def _circle_from(start: str, arrows: Mapping[str, Sequence[str]], done: set[str]) -> list[str]:
    """Walks in depth without recursion, because a chain of tasks may be longer than Python's stack."""
    path = [start]
    on_path = {start: 0}
    steps = [iter(arrows.get(start, ()))]
    while steps:
        following = next(steps[-1], None)
        if following is None:
            steps.pop()
            done.add(path[-1])
            del on_path[path.pop()]
        elif following in on_path:
            return [*path[on_path[following] :], following]
        elif following not in done:
            on_path[following] = len(path)
            path.append(following)
            steps.append(iter(arrows.get(following, ())))
    return []
