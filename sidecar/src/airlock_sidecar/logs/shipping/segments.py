"""
How a log becomes objects, and when.

Object stores do not append. A log is kept in segments: the first under the log's own key, the next under that key
with a number behind it, in the order of their names. Only the last segment is written again, whole, with the new lines
at its end, and only over the version that was read. So a segment's size bounds each write, and nobody's lines are
overwritten. A log that is smaller than a segment, as nearly all are, is one object.
"""

from airlock_wire.process import backoff

#: After so many failures in a row the wait before the next try stops growing.
_LONGEST_WAIT_SECONDS = 30.0


def whole_lines(data: bytes, room: int) -> int:
    """Tells how many bytes of ``data`` are whole lines that fit into ``room`` bytes."""
    return data.rfind(b"\n", 0, max(room, 0)) + 1


def due(unsent: int, room: int, waited: float, every: float) -> bool:
    """
    Tells whether unsent lines are written now: they fill the segment, or the first has waited for ``every`` seconds.
    """
    return unsent > 0 and (unsent >= room or waited >= every)


def pause(failures: int) -> float:
    """Seconds before the next try after ``failures`` in a row."""
    return backoff.pause(failures, 0.5, _LONGEST_WAIT_SECONDS)
