"""A server that is away, broken, slow or forgetful, for a minute: the task's state is still written exactly once."""

import threading
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


class Minute:
    """A fault that lasts a minute from when it is told to begin, and counts the requests that met it."""

    def __init__(self, kind):
        self.kind, self.begins, self.met = kind, float("inf"), 0

    def __call__(self, method, path):
        if not self.begins <= time.monotonic() < self.begins + 60:
            return ""
        self.met += 1
        return self.kind


@pytest.mark.slow(seconds=180)
def test_a_minute_of_every_fault_and_a_token_that_lives_a_third_of_the_task(make_laptop):
    """All at once, each on a laptop of its own, because each takes minutes."""
    laptops, minutes, away = {}, {}, []
    for kind in ("close", "500", "late", "lose"):
        laptop, minute = make_laptop(), Minute(kind)
        laptops[kind], minutes[kind] = laptop, minute
        laptop.through(minute)
        # In the middle of the task, so that it falls on its requests and on its last word.
        laptop.start("work", retries=2).wait_for_starts()
        minute.begins = time.monotonic() + 0.3
    for name in ("away", "away from the start"):
        laptop = laptops[name] = make_laptop()
        away.append(threading.Thread(target=laptop.through(lambda method, path: "").be_away, args=(60,)))
        if name == "away":
            laptop.start("work").wait_for_starts()
            away[-1].start()
        else:
            away[-1].start()
            laptop.start("work")
    token = laptops["token"] = make_laptop(jwt__execution_seconds=60, jwt__workload_seconds=60)
    token.start("long", seconds=180)

    results = {}
    for name, laptop in laptops.items():
        laptop.wait(300)
        results[name] = (laptop.starts(), laptop.state_writes())
    for thread in away:
        thread.join(30)

    assert dict.fromkeys(laptops, (1, ["queued", "running", "success"])) == results
    # Each fault was met, and waited out in so many words.
    assert [] == [kind for kind, minute in minutes.items() if not minute.met]
    for name in ("close", "500", "away", "away from the start"):
        assert [event for event in laptops[name].events() if "does not answer" in event], name
