"""How long the sidecar waits for a server that does not answer."""

from airlock_sidecar.upstream import retries


def test_delays_grow_and_are_scattered_and_bounded():
    assert 0.05 <= min(retries.delay(1) for _ in range(50)) <= 0.1
    assert 0.1 <= min(retries.delay(2) for _ in range(50)) <= 0.2
    assert retries.LONGEST_DELAY_SECONDS / 2 <= retries.delay(10_000) <= retries.LONGEST_DELAY_SECONDS


def test_late_answers_are_waited_for_longer_up_to_a_minute():
    assert [5, 10, 20, 40, 60, 60] == [retries.timeout(5, late) for late in (0, 1, 2, 3, 4, 10_000)]


def test_a_5xx_is_an_answer_only_while_the_server_is_otherwise_alive():
    assert not retries.broken_for_good(10_000, alive_meanwhile=False)
    assert not retries.broken_for_good(retries.BROKEN_AFTER_TRIES - 1, alive_meanwhile=True)
    assert retries.broken_for_good(retries.BROKEN_AFTER_TRIES, alive_meanwhile=True)
