"""Which assets a task instance may use, as a table."""

import pytest

from airlock_server.rules.assets import (
    AssetKey,
    Declarations,
    Pattern,
    key_problem,
    may_claim,
    may_claim_by,
    opens_state,
)
from airlock_wire.assets import DeclaredAsset

ASSET = AssetKey("n", "s3://u?x=1")
WHOLE = DeclaredAsset(name="n", uri="s3://u?x=1")
NAME, URI = DeclaredAsset(type="AssetNameRef", name="n"), DeclaredAsset(type="AssetUriRef", uri="s3://u?x=1")
ALIAS = DeclaredAsset(type="AssetAlias", name="l")


def patterns(use, *each):
    return Declarations(patterns=tuple(Pattern(use, pattern) for pattern in each))


#: What is declared; whether the state of ASSET, which alias l has, is open; whether a success may claim ASSET, and claim
#: it by l.
TABLE = [
    (Declarations(), False, False, False),
    (Declarations(inlets=(WHOLE,)), True, False, False),
    (Declarations(outlets=(WHOLE,)), True, True, False),
    (Declarations(inlets=(NAME,)), True, False, False),
    (Declarations(outlets=(URI,)), True, True, False),
    (Declarations(inlets=(ALIAS,)), True, False, False),
    (Declarations(outlets=(ALIAS,)), False, False, True),
    # A declared URI is a text and not a pattern.
    (Declarations(outlets=(DeclaredAsset(type="AssetUriRef", uri="s3://u?x=?"),)), False, False, False),
    (Declarations(inlets=(DeclaredAsset(name="n"),)), False, False, False),
    (patterns("state", "n"), True, False, False),
    (patterns("state", "l"), True, False, False),
    (patterns("state", "s3://*"), True, False, False),
    (patterns("outlet", "n"), False, False, False),
    (patterns("outlet", "n", "s3://*"), False, True, False),
    (patterns("outlet", "*"), False, True, True),
    (patterns("outlet", "n", "s3://*", "l"), False, True, True),
]


@pytest.mark.parametrize(("declared", "state", "claim", "by_alias"), TABLE)
def test_what_is_declared_opens_no_more_than_the_table_says(declared, state, claim, by_alias):
    assert state == opens_state(declared, ASSET, {"l"})
    assert claim == may_claim(declared, ASSET)
    assert by_alias == may_claim_by(declared, "l", ASSET)


def test_an_alias_that_does_not_have_the_asset_opens_nothing():
    assert not opens_state(Declarations(inlets=(ALIAS,)), ASSET, set())


@pytest.mark.parametrize("key", [AssetKey("", "u"), AssetKey("n", " "), AssetKey("a\0", "u"), AssetKey("n", "ü" * 751)])
def test_a_key_that_cannot_be_kept_has_a_problem(key):
    assert "" == key_problem(ASSET)
    assert "" != key_problem(key)
