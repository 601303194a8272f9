"""
The authority of an install and the server's certificate: made, read and compared. Pure but for randomness and the clock
that the caller gives.

ECDSA on P-256 throughout; PEM in and out. Only this module and ``encryption`` import cryptography.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = dt.timedelta(days=3650)
SERVER_LIFE = dt.timedelta(days=365)
#: A server's certificate with less left is renewed.
RENEW_BEFORE = dt.timedelta(days=30)
#: Clocks differ: a certificate is valid from a little before it was made.
_BACKDATED = dt.timedelta(minutes=5)


class Unreadable(Exception):
    """A stored certificate or key is not of the kind that is made here. The text says which."""


class Pair(msgspec.Struct, frozen=True):
    """A certificate and its key, both PEM. The key has no readable representation."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "Pair(...)"


def make_authority(now: dt.datetime) -> Pair:
    """Returns a new authority, which may sign servers and nothing below them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Airlock"),
            # The number distinguishes two authorities of one install: a client looks for the authority by its name.
            x509.NameAttribute(NameOID.COMMON_NAME, f"Airlock CA {x509.random_serial_number() >> 128:08x}"),
        ]
    )
    built = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return _pair(built.sign(key, hashes.SHA256()), key)


def sign_server(authority: Pair, names: Sequence[str], now: dt.datetime) -> Pair:
    """Returns a new key and certificate for a server of these DNS names; raises Unreadable."""
    issuer, issuer_key = _certificate(authority.certificate), _key(authority.key)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    built = (
        _builder(subject, issuer.subject, key.public_key(), now, SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(authority_id, critical=False)
    )
    return _pair(built.sign(issuer_key, hashes.SHA256()), key)


def why_no_authority(authority: Pair, now: dt.datetime) -> str | None:
    """Returns why this cannot sign servers, None if it can."""
    try:
        certificate, key = _certificate(authority.certificate), _key(authority.key)
    except Unreadable as e:
        return str(e)
    if certificate.public_key() != key.public_key():
        return "the key is not the certificate's"
    if certificate.not_valid_after_utc <= now:
        return f"it ran out on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return None


def why_renew(server: Pair, authority: bytes, names: Sequence[str], now: dt.datetime) -> str | None:
    """Returns why the server needs a new certificate, None if it can keep this one."""
    try:
        certificate, key, issuer = _certificate(server.certificate), _key(server.key), _certificate(authority)
    except Unreadable as e:
        return str(e)
    if certificate.public_key() != key.public_key():
        return "the key is not the certificate's"
    if certificate.not_valid_after_utc - now < RENEW_BEFORE:
        return f"it runs out on {certificate.not_valid_after_utc:%Y-%m-%d}"
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return "the install's authority did not sign it"
    missing = sorted(set(names) - set(_names(certificate)))
    return f"it does not name {', '.join(missing)}" if missing else None


def split(bundle: bytes) -> list[bytes]:
    """Returns the certificates of a bundle, one PEM each, in a canonical form; raises Unreadable."""
    try:
        certificates = x509.load_pem_x509_certificates(bundle) if bundle.strip() else []
    except ValueError as e:
        raise Unreadable(f"the bundle is not made of PEM certificates: {e}") from e
    return [each.public_bytes(serialization.Encoding.PEM) for each in certificates]


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime, life: dt.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), private)


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as e:
        raise Unreadable(f"it is not a PEM certificate: {e}") from e


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as e:
        raise Unreadable("its key is not a PEM key without a password") from e
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Unreadable("its key is not an elliptic curve's")
    return key


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)
