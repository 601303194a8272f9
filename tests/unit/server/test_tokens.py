"""Who gets a token, which ones hold, and when one is replaced."""

import time
import uuid

import jwt
import pytest

from airlock_server.keys.tokens import ALGORITHM, Binding, Claims, InvalidToken, Tokens
from airlock_server.settings import JwtSettings

KEY = b"k" * 64
TI = str(uuid.UUID(int=7))
SETTINGS = JwtSettings()


@pytest.fixture
def tokens():
    return Tokens(KEY, SETTINGS)


def claims(**changes):
    now = int(time.time())
    made = {"sub": TI, "scope": "execution", "jti": "x", "aud": SETTINGS.audience, "nbf": now, "iat": now}
    return {name: value for name, value in (made | {"exp": now + 600} | changes).items() if value is not ...}


def signed(key=KEY, algorithm=ALGORITHM, **changes):
    return jwt.encode(claims(**changes), key, algorithm=algorithm)


@pytest.mark.parametrize("scope", ["workload", "execution"])
def test_a_minted_token_holds_and_says_whose_it_is(tokens, scope):
    token = tokens.mint_workload(TI) if scope == "workload" else tokens.mint_execution(TI)
    found = tokens.verify(token)
    assert (found.sub, found.scope, found.exp - found.iat) == (TI, scope, 600)
    assert "HS512" == jwt.get_unverified_header(token)["alg"]


def test_the_token_of_a_trigger_lives_as_long_as_the_wait_may_take_and_never_shorter_than_others(tokens):
    lives = [
        claims.exp - claims.iat
        for seconds in (10.0, 3600.5)
        for claims in [tokens.verify(tokens.mint_execution(TI, at_least_seconds=seconds))]
    ]
    assert [600, 3601] == lives


def test_two_tokens_are_never_the_same(tokens):
    assert tokens.mint_execution(TI) != tokens.mint_execution(TI)


def test_a_token_is_only_minted_for_a_uuid(tokens):
    with pytest.raises(ValueError, match="badly formed"):
        tokens.mint_execution("no uuid")


def test_a_token_without_a_scope_is_an_execution_token(tokens):
    assert "execution" == tokens.verify(signed(scope=...)).scope


def test_a_token_is_accepted_within_the_leeway_after_its_end(tokens):
    now = int(time.time())
    assert TI == tokens.verify(signed(iat=now - 605, nbf=now - 605, exp=now - 5)).sub


now = int(time.time())
REFUSED = {
    "not a token": "abc",
    "no token": "",
    "another key": signed(key=b"z" * 64),
    "a weaker algorithm": signed(algorithm="HS256"),
    "no signature": jwt.encode(claims(), None, algorithm="none"),
    "ended before the leeway": signed(iat=now - 700, nbf=now - 700, exp=now - 100),
    "not valid yet": signed(nbf=now + 1000),
    "another audience": signed(aud="someone"),
    "no audience": signed(aud=...),
    "no end": signed(exp=...),
    "no beginning": signed(iat=...),
    "an end that is no number": signed(exp="soon"),
    "an unknown scope": signed(scope="admin"),
    "a scope that is no text": signed(scope=["execution"]),
    "no subject": signed(sub=...),
    "a subject that is no uuid": signed(sub="me"),
    "an empty subject": signed(sub=""),
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED)
def test_a_token_is_refused(tokens, token):
    with pytest.raises(InvalidToken) as refused:
        tokens.verify(token)
    assert not token or token not in str(refused.value)


@pytest.mark.parametrize(("issuer", "holds"), [("us", True), ("them", False), (..., False)])
def test_an_issuer_is_required_where_one_is_set(issuer, holds):
    tokens = Tokens(KEY, JwtSettings(issuer="us"))
    assert TI == tokens.verify(tokens.mint_execution(TI)).sub
    if holds:
        assert TI == tokens.verify(signed(iss=issuer)).sub
    else:
        with pytest.raises(InvalidToken):
            tokens.verify(signed(iss=issuer))


@pytest.mark.parametrize(
    ("lifetime", "left", "refreshed"),
    [
        (600, 126, False),
        (600, 121, False),
        (600, 120, True),
        (600, -5, True),
        (60, 31, False),
        (60, 30, True),
        (10_000, 2001, False),
        (10_000, 2000, True),
    ],
)
def test_a_token_is_refreshed_when_a_fifth_or_thirty_seconds_are_left(tokens, lifetime, left, refreshed):
    at = time.time()
    end = int(at) + left
    successor = tokens.refreshed(Claims(TI, "execution", end - lifetime, end), at)
    assert (successor is not None) == refreshed
    if successor is not None:
        found = tokens.verify(successor)
        assert (TI, "execution", 600) == (found.sub, found.scope, found.exp - found.iat)


def test_a_lookup_token_is_nobodys_and_is_never_refreshed(tokens):
    claims = [tokens.verify(tokens.mint_lookup()) for _ in range(2)]

    assert ["lookup", "lookup"] == [each.scope for each in claims]
    assert claims[0].sub != claims[1].sub
    assert [None, None] == [tokens.refreshed(each, each.exp - 1) for each in claims]


def test_a_workload_token_is_never_refreshed(tokens):
    assert None is tokens.refreshed(Claims(TI, "workload", now - 599, now + 1))


def test_a_token_for_a_pod_says_which_and_so_does_its_successor(tokens):
    old = tokens.verify(tokens.mint_for_pod(TI, "pod", "run", 2, time.time() - 590))
    new = tokens.verify(tokens.refreshed(old))

    assert old.bound == new.bound == Binding("pod", "run", 2)
    assert None is tokens.verify(tokens.mint_execution(TI)).bound


@pytest.mark.parametrize("bound", ["pod", {}, {"pod": "p"}, {"pod": 1, "taskrun": "r", "try": 1}])
def test_a_token_that_is_bound_to_nonsense_opens_nothing(tokens, bound):
    with pytest.raises(InvalidToken):
        tokens.verify(signed(airlock=bound))


def test_the_first_key_signs_and_all_verify():
    old, new = b"o" * 64, b"n" * 64
    both = Tokens(new + old, SETTINGS)

    assert TI == both.verify(Tokens(old, SETTINGS).mint_execution(TI)).sub
    assert TI == Tokens(new, SETTINGS).verify(both.mint_execution(TI)).sub
    with pytest.raises(InvalidToken):
        Tokens(old, SETTINGS).verify(both.mint_execution(TI))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_what_is_no_whole_key_is_refused(size):
    with pytest.raises(ValueError, match=str(size)):
        Tokens(b"k" * size, SETTINGS)


def test_a_token_that_was_accepted_is_refused_after_its_end():
    tokens = Tokens(KEY, JwtSettings(leeway_seconds=0))
    ends = int(time.time()) + 2
    token = signed(exp=ends)
    assert TI == tokens.verify(token).sub == tokens.verify(token).sub
    while time.time() < ends:
        time.sleep(0.05)

    with pytest.raises(InvalidToken, match="expired"):
        tokens.verify(token)


def test_a_token_that_was_refused_is_refused_again(tokens):
    token = signed(key=b"x" * 64)
    for _ in range(2):
        with pytest.raises(InvalidToken, match="Signature"):
            tokens.verify(token)


def test_one_letter_of_a_token_that_was_accepted_makes_another_token(tokens):
    token = signed()
    tokens.verify(token)
    # Not the last one, of which some bits say nothing.
    other = f"{token[:-9]}{'A' if token[-9] != 'A' else 'B'}{token[-8:]}"

    with pytest.raises(InvalidToken):
        tokens.verify(other)


def test_no_more_tokens_are_kept_than_there_may_be(tokens, monkeypatch):
    monkeypatch.setattr("airlock_server.keys.tokens.MAX_VERIFIED", 3)
    minted = [signed(jti=str(number)) for number in range(5)]
    for token in (*minted, minted[0]):
        assert TI == tokens.verify(token).sub

    assert [minted[3], minted[4], minted[0]] == list(tokens._verified)
