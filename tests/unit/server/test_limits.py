"""The rate for an address, and the memory of refused tokens, over a clock of the test's."""

from airlock_server.exchange.limits import Rate, RefusedTokens


def test_a_burst_passes_and_then_the_rate_counts():
    rate = Rate(burst=3, per_second=2.0)

    assert [0.0, 0.0, 0.0, 0.5] == [rate.wait("a", 0.0) for _ in range(4)]
    assert 0.0 == rate.wait("a", 0.5)
    assert 0.5 == rate.wait("a", 0.5)


def test_asking_too_often_costs_nothing_more():
    rate = Rate(burst=1, per_second=1.0)
    rate.wait("a", 0.0)
    for _ in range(100):
        assert 1.0 == rate.wait("a", 0.0)
    assert 0.0 == rate.wait("a", 1.0)


def test_what_was_saved_up_is_bounded_by_the_burst():
    rate = Rate(burst=2, per_second=1.0)
    rate.wait("a", 0.0)

    assert [False, False, True] == [rate.wait("a", 1e6) > 0 for _ in range(3)]


def test_addresses_do_not_share():
    rate = Rate(burst=1, per_second=1.0)

    assert [0.0, 0.0] == [rate.wait("a", 0.0), rate.wait("b", 0.0)]


def test_a_refused_token_is_remembered_for_a_while_and_no_other_is():
    refused = RefusedTokens(seconds=10.0)
    refused.add("forged", "why", now=0.0)

    assert ["why", "why", None] == [refused.why("forged", at) for at in (0.0, 9.9, 10.0)]
    assert None is refused.why("another", 0.0)


def test_memory_is_bounded_and_the_newest_are_kept():
    refused, rate = RefusedTokens(seconds=10.0), Rate(burst=1, per_second=0.001)
    for n in range(10_000):
        refused.add(f"t{n}", "why", now=0.0)
        rate.wait(f"a{n}", 0.0)

    assert ("why", None) == (refused.why("t9999", 1.0), refused.why("t0", 1.0))
    assert rate.wait("a9999", 0.0) > 0
    assert 0.0 == rate.wait("a0", 0.0)
