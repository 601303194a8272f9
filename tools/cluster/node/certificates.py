"""Who is who in a bare cluster: one authority, and a certificate for each that speaks or listens."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cluster.node.addresses import API_SERVICE, API_URL, DOMAIN, FIRST, NodeAddress

#: A cluster for tests lives for hours.
LIFETIME = dt.timedelta(days=30)


@dataclass(frozen=True)
class Leaf:
    """A certificate to be made: Kubernetes reads the user from the common name, its groups from the organizations."""

    file: str
    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        """Whether it is for a server; the others are for clients."""
        return bool(self.names or self.addresses)


def cluster_leaves() -> list[Leaf]:
    """Returns the keys and certificates of the control plane."""
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{DOMAIN}")
    return [
        Leaf(
            "apiserver", "kube-apiserver", names=("localhost", *service), addresses=("127.0.0.1", API_SERVICE, FIRST.ip)
        ),
        Leaf("apiserver-kubelet", "airlock-test:apiserver"),
        Leaf("admin", "airlock-test:admin", ("system:masters",)),
        Leaf("controller-manager", "system:kube-controller-manager"),
        Leaf("scheduler", "system:kube-scheduler"),
        Leaf("proxy", "system:kube-proxy"),
        Leaf("coredns", "airlock-test:coredns"),
        Leaf("volumes", "airlock-test:volumes"),
    ]


def node_leaves(node: NodeAddress) -> list[Leaf]:
    """Returns what one node's kubelet needs. Its serving certificate names the node's IP: `kubectl logs` dials that."""
    return [
        Leaf(f"kubelet-{node.name}", f"system:node:{node.name}", ("system:nodes",)),
        Leaf(f"kubelet-{node.name}-serving", f"system:node:{node.name}", names=(node.name,), addresses=(node.ip,)),
    ]


class Authority:
    """The cluster's certificate authority, in a folder of its own; made on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (folder / "ca.key").exists():
            self._make()
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{folder / 'ca.key'} is not a key of ours; `down`, then `up`")
        self._key = key
        self._certificate = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "airlock-test")])
        builder = _builder(name, name, key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        # Python's own verification wants to be told what an authority's key is for.
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        certificate = builder.sign(key, hashes.SHA256())
        _write(self.folder / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM))
        _write(self.folder / "ca.key", _pem(key))
        # Service account tokens are signed with a key of their own: its public half is told to who verifies them.
        accounts = ec.generate_private_key(ec.SECP256R1())
        _write(self.folder / "accounts.key", _pem(accounts))
        public = accounts.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _write(self.folder / "accounts.pub", public)

    def issue(self, leaf: Leaf) -> None:
        """Writes ``<file>.crt`` and ``<file>.key`` anew."""
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in leaf.organizations]
        subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, leaf.common_name)])
        builder = _builder(subject, self._certificate.subject, key.public_key())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if leaf.serves else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
        )
        if leaf.serves:
            names: list[x509.GeneralName] = [x509.DNSName(name) for name in leaf.names]
            names += [x509.IPAddress(ipaddress.ip_address(address)) for address in leaf.addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        _write(self.folder / f"{leaf.file}.crt", certificate.public_bytes(serialization.Encoding.PEM))
        _write(self.folder / f"{leaf.file}.key", _pem(key))

    def kubeconfig(self, leaf: str, path: Path) -> None:
        """Writes how the holder of a certificate reaches the API server: one file that carries all of it."""

        def embedded(name: str) -> str:
            return base64.b64encode((self.folder / name).read_bytes()).decode()

        name = "airlock-test"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": leaf}}],
            "clusters": [
                {"name": name, "cluster": {"server": API_URL, "certificate-authority-data": embedded("ca.crt")}}
            ],
            "users": [
                {
                    "name": leaf,
                    "user": {
                        "client-certificate-data": embedded(f"{leaf}.crt"),
                        "client-key-data": embedded(f"{leaf}.key"),
                    },
                }
            ],
        }
        # JSON is YAML, and Python writes it without a library.
        _write(path, json.dumps(config, indent=1).encode())


def _builder(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    # A clock that is set back a little, as a virtual machine's may be, must not make a certificate of the future.
    now = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + LIFETIME)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
