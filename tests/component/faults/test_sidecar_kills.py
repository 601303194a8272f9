"""kill -9 of the sidecar at twenty random moments of a task: it ends well, exactly once, with its whole log."""

import os
import random
import signal
import time

import pytest

#: The moments, in seconds after the launch, drawn once: the task takes a good second.
MOMENTS = sorted(random.Random(20261121).uniform(0.0, 1.05) for _ in range(20))


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_sidecar_killed_at_any_moment_costs_nothing(laptop, moment):
    laptop.start("work")
    while laptop.executor._current is None or laptop.executor._current.sidecar is None:
        time.sleep(0.001)
    time.sleep(moment)
    os.kill(laptop.sidecar_pid, signal.SIGKILL)
    laptop.wait()

    assert (1, ["queued", "running", "success"]) == (laptop.starts(), laptop.state_writes())
    assert 1 == laptop.record.restarts
    printed = [event for event in laptop.events() if event.startswith("line ")]
    # A line may be there twice after a kill, and never not at all; the order is kept.
    assert [f"line {n}" for n in range(10)] == list(dict.fromkeys(printed))
