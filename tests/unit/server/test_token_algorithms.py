"""Every algorithm of tokens: which tokens hold, and which do not, whatever they say of themselves."""

import base64
import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from airlock_server.keys import public_keys
from airlock_server.keys.public_keys import PublicKey, SigningKey
from airlock_server.keys.tokens import InvalidToken, Tokens
from airlock_server.settings import JwtSettings
from airlock_wire.process.settings import SettingsError

TI = str(uuid.UUID(int=7))
SECRET, OTHER_SECRET = b"k" * 64, b"o" * 64
#: Made once: an RSA key takes a second.
PRIVATE = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "another RS256": rsa.generate_private_key(65537, 2048),
    "another EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def pem(private):
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(private):
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def tokens_of(algorithm, **settings):
    fields = JwtSettings(**{"audience": "mine, also", "issuer": "me, us", **settings})
    if algorithm == "HS512":
        return Tokens(SECRET, fields)
    return Tokens(b"", fields, signing=public_keys.read_private(pem(PRIVATE[algorithm]), kid=fields.key_id))


class Later(int):
    """So many seconds after the moment at which a token is made."""


def claims(**changes):
    now = int(time.time())
    made = {"sub": TI, "scope": "execution", "aud": "mine", "iss": "me", "nbf": now, "iat": now, "exp": now + 600}
    content = {name: value for name, value in (made | changes).items() if value is not ...}
    return {name: now + int(value) if isinstance(value, Later) else value for name, value in content.items()}


def signed(algorithm, key=None, kid=None, **changes):
    """A token as the server of this algorithm would sign it, but for what is said otherwise."""
    key = key or (SECRET if algorithm == "HS512" else PRIVATE[algorithm])
    own = None if algorithm == "HS512" else public_keys.thumbprint(PRIVATE[algorithm].public_key())
    header = {} if kid is ... else {"kid": kid or own or "not-used"}
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=header)


def by_hand(header, content, signature=b""):
    """A token that no library would make."""

    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    return ".".join((part(json.dumps(header).encode()), part(json.dumps(content).encode()), part(signature)))


def confused(algorithm):
    """A token signed by HMAC with the public key as the secret, in each form that a verifier may take for it."""
    import hashlib
    import hmac

    private = PRIVATE[algorithm]
    kid = public_keys.thumbprint(private.public_key())
    for name, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
        header = {"alg": name, "typ": "JWT", "kid": kid}
        for secret in (
            public_pem(private),
            public_pem(private).strip(),
            json.dumps(public_keys._fields(private.public_key())).encode(),
        ):
            unsigned = by_hand(header, claims()).rpartition(".")[0]
            signature = hmac.new(secret, unsigned.encode(), digest).digest()
            yield by_hand(header, claims(), signature)


ALGORITHMS = ["HS512", "RS256", "EdDSA"]
#: What a token may lack or have wrong, as changes of its claims.
WRONG_CLAIMS = {
    "expired": {"iat": Later(-700), "nbf": Later(-700), "exp": Later(-60)},
    "not yet valid": {"nbf": Later(120)},
    "issued in the future": {"iat": Later(120)},
    "another audience": {"aud": "theirs"},
    "no audience": {"aud": ...},
    "another issuer": {"iss": "they"},
    "no issuer": {"iss": ...},
    "no end": {"exp": ...},
    "no beginning": {"iat": ...},
    "another scope": {"scope": "everything"},
    "no subject": {"sub": ...},
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": "also"},
        {"aud": ["else", "mine"]},
        {"iss": "us"},
        {"scope": ...},
        {"nbf": ...},
        # Within the leeway of ten seconds.
        {"iat": Later(-605), "nbf": Later(-605), "exp": Later(-5)},
        {"nbf": Later(5)},
    ],
    ids=str,
)
def test_a_good_token_holds(algorithm, changes):
    assert TI == tokens_of(algorithm).verify(signed(algorithm, **changes)).sub


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("wrong", WRONG_CLAIMS)
def test_a_token_with_a_wrong_claim_does_not_hold(algorithm, wrong):
    with pytest.raises(InvalidToken):
        tokens_of(algorithm).verify(signed(algorithm, **WRONG_CLAIMS[wrong]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_another_key_does_not_hold(algorithm):
    other = OTHER_SECRET if algorithm == "HS512" else PRIVATE[f"another {algorithm}"]
    with pytest.raises(InvalidToken, match="ignature"):
        tokens_of(algorithm).verify(signed(algorithm, other))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_a_signature_does_not_hold(algorithm, spelling):
    kid = "not-used" if algorithm == "HS512" else public_keys.thumbprint(PRIVATE[algorithm].public_key())
    with pytest.raises(InvalidToken):
        tokens_of(algorithm).verify(by_hand({"alg": spelling, "typ": "JWT", "kid": kid}, claims()))


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_a_token_signed_with_the_public_key_as_a_secret_does_not_hold(algorithm):
    forged = list(confused(algorithm))
    for token in forged:
        with pytest.raises(InvalidToken, match="alg"):
            tokens_of(algorithm).verify(token)

    assert 6 == len(forged)


@pytest.mark.parametrize(
    ("server", "token"),
    [(one, other) for one in ALGORITHMS for other in ALGORITHMS if one != other],
)
def test_a_token_of_another_algorithm_does_not_hold_under_the_servers_key_name(server, token):
    kid = "not-used" if server == "HS512" else public_keys.thumbprint(PRIVATE[server].public_key())
    with pytest.raises(InvalidToken):
        tokens_of(server).verify(signed(token, kid=kid))


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
@pytest.mark.parametrize("kid", [..., "unknown"])
def test_a_token_of_a_private_key_names_a_key_that_is_trusted(algorithm, kid):
    with pytest.raises(InvalidToken, match="key"):
        tokens_of(algorithm).verify(signed(algorithm, kid=kid))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_minted_token_names_its_key_and_the_first_audience_and_issuer(algorithm):
    tokens = tokens_of(algorithm)
    token = tokens.mint_execution(TI)
    header, content = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    expected = "not-used" if algorithm == "HS512" else tokens.public[0].kid

    assert (algorithm, expected, "mine", "me") == (header["alg"], header["kid"], content["aud"], content["iss"])
    assert TI == tokens.verify(token).sub
    assert "named" == jwt.get_unverified_header(tokens_of(algorithm, key_id="named").mint_execution(TI))["kid"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_near_its_end_is_renewed_with_the_same_algorithm(algorithm):
    tokens = tokens_of(algorithm)
    old = tokens.verify(tokens.mint_execution(TI, time.time() - 590))
    fresh = tokens.refreshed(old)

    assert TI == tokens.verify(fresh).sub
    assert algorithm == jwt.get_unverified_header(fresh)["alg"]


def test_the_first_of_several_private_keys_signs_and_all_verify():
    both = public_keys.read_private(pem(PRIVATE["EdDSA"]) + pem(PRIVATE["RS256"]))
    tokens = Tokens(b"", JwtSettings(audience="mine", issuer="me"), signing=both)

    assert "EdDSA" == jwt.get_unverified_header(tokens.mint_execution(TI))["alg"]
    assert [TI, TI] == [tokens.verify(signed(each)).sub for each in ("RS256", "EdDSA")]


@pytest.mark.parametrize(
    ("private", "algorithm", "fault"),
    [
        (rsa.generate_private_key(65537, 1024), "", "1024 bits"),
        (ec.generate_private_key(ec.SECP256R1()), "", "neither RSA nor Ed25519"),
        (PRIVATE["EdDSA"], "RS256", "is for EdDSA"),
        (PRIVATE["RS256"], "EdDSA", "is for RS256"),
        (PRIVATE["RS256"], "HS512", "is for RS256"),
    ],
)
def test_a_private_key_that_is_weak_or_does_not_fit_is_refused(private, algorithm, fault):
    with pytest.raises(SettingsError, match=fault):
        public_keys.read_private(pem(private), algorithm)


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_a_private_key_is_refused(text):
    with pytest.raises(SettingsError, match="private_key_file"):
        public_keys.read_private(text)


def test_the_algorithm_of_a_private_key_needs_a_private_key():
    with pytest.raises(SettingsError, match="private_key_file"):
        Tokens(SECRET, JwtSettings(algorithm="RS256"))


def test_a_longer_digest_may_be_chosen():
    tokens = Tokens(b"", JwtSettings(), signing=public_keys.read_private(pem(PRIVATE["RS256"]), "RS512"))

    assert "RS512" == jwt.get_unverified_header(tokens.mint_execution(TI))["alg"]
    assert (
        "HS384" == jwt.get_unverified_header(Tokens(SECRET, JwtSettings(algorithm="HS384")).mint_execution(TI))["alg"]
    )


# --- sets of public keys ---


def test_a_set_is_read_as_it_was_written():
    keys = [each.public for name in ("RS256", "EdDSA") for each in public_keys.read_private(pem(PRIVATE[name]))]
    there = public_keys.read_set(public_keys.as_set(keys))

    assert {each.kid: each.algorithm for each in keys} == {kid: key.algorithm for kid, key in there.items()}
    assert public_keys.as_set(keys) == public_keys.as_set(there.values())


def test_a_set_written_by_another_library_is_read():
    of_rsa = jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE["RS256"].public_key(), as_dict=True) | {"kid": "a"}
    of_ed = jwt.algorithms.OKPAlgorithm.to_jwk(PRIVATE["EdDSA"].public_key(), as_dict=True) | {"kid": "b"}
    there = public_keys.read_set(json.dumps({"keys": [of_rsa, of_ed]}).encode())

    assert [("a", "RS256"), ("b", "EdDSA")] == [(key.kid, key.algorithm) for key in there.values()]


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "k": "a2V5", "alg": "HS256"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "AA"},
        public_keys._fields(PRIVATE["RS256"].public_key()) | {"alg": "HS256"},
        public_keys._fields(PRIVATE["RS256"].public_key()) | {"alg": "none"},
        public_keys._fields(PRIVATE["EdDSA"].public_key()) | {"alg": "HS512"},
        public_keys._fields(PRIVATE["RS256"].public_key()) | {"use": "enc"},
    ],
)
def test_a_key_of_a_set_that_is_not_for_tokens_is_left_out(jwk):
    assert {} == public_keys.read_set(json.dumps({"keys": [jwk]}).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [{"kty": "RSA"}]}', b"\xff", b'{"keys": [' + b"{}," * 200 + b"{}]}"])  # fmt: skip
def test_what_is_not_a_set_of_keys_is_refused(data):
    with pytest.raises(ValueError, match=r"it|keys|JSON|Expecting"):
        public_keys.read_set(data)


def test_a_key_belongs_to_the_algorithm_of_its_set_whatever_a_token_says():
    key = PRIVATE["RS256"].public_key()
    signing = [SigningKey(PRIVATE["RS256"], PublicKey("k", "RS384", key))]
    tokens = Tokens(b"", JwtSettings(audience="mine", issuer="me"), signing=signing)

    with pytest.raises(InvalidToken, match="alg"):
        tokens.verify(signed("RS256", kid="k"))
