"""When the log says that the server is away, and when it says that it is back."""

import pytest

from airlock_sidecar.upstream.outage import Outage


def told(outcomes):
    """The lines of the log after tries that fail (``-``) or are answered (``+``), one a second."""
    lines, seconds = [], iter(range(100))
    outage = Outage(lambda line, level: lines.append(f"{level}: {line}"), clock=lambda: next(seconds))
    for outcome in outcomes:
        outage.answered() if outcome == "+" else outage.failed("refused")
    return lines


AWAY = "warning: the Execution API does not answer (refused): what needs it waits"


@pytest.mark.parametrize(
    ("outcomes", "lines"),
    [("", []), ("+++", []), ("--+--+", []), ("---", [AWAY]), ("--------", [AWAY])],
)
def test_the_log_says_once_that_the_server_is_away(outcomes, lines):
    assert lines == told(outcomes)


def test_the_log_says_once_that_the_server_is_back():
    assert ["warning", "info", "warning"] == [line.partition(":")[0] for line in told("-----++---")]
    assert "the Execution API answers again, after " in told("-----+")[1]
