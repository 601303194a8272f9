"""A server that is away, broken, slow or forgetful, for a minute: the task's state is still written exactly once."""

import time

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.parametrize("task_id", ["work", "fails"])
def test_an_accepted_terminal_state_whose_answer_is_lost_is_written_once(laptop, task_id):
    lost = []

    def fault(method, path):
        if path.endswith("/state") and not lost:
            lost.append(path)
            return "lose"
        return ""

    laptop.through(fault)
    laptop.start(task_id, retries=2).wait()

    state = {"work": "success", "fails": "up_for_retry"}[task_id]
    assert (1, ["queued", "running", state]) == (laptop.starts(), laptop.state_writes())
    assert (1, True) == (len(lost), laptop.record.acknowledged)


def test_a_minute_of_every_fault_and_a_token_that_lives_a_third_of_the_task(make_laptop):
    """All at once, each on a laptop of its own, because each takes minutes."""
    laptops = {}
    for fault in ("close", "500", "late", "lose"):
        laptop = laptops[fault] = make_laptop()
        laptop.began = time.monotonic()
        # The minute begins a second into the task, so that it falls on heartbeats, requests and the terminal state.
        laptop.through(lambda method, path, of=fault, at=laptop.began: of if 2 < time.monotonic() - at < 62 else "")
        laptop.start("work", retries=2)
    begins = laptops["away from the start"] = make_laptop()
    began = time.monotonic()
    begins.through(lambda method, path: "close" if time.monotonic() - began < 60 else "")
    begins.start("work")
    token = laptops["token"] = make_laptop(jwt__execution_seconds=60, jwt__workload_seconds=60)
    token.start("long", seconds=180)

    results = {}
    for name, laptop in laptops.items():
        laptop.wait(300)
        results[name] = (laptop.starts(), laptop.state_writes())

    assert dict.fromkeys(laptops, (1, ["queued", "running", "success"])) == results
