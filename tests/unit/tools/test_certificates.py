"""Who is who in a bare cluster."""

import json
import stat

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from cluster.node.addresses import FIRST, NodeAddress
from cluster.node.certificates import Authority, cluster_leaves, node_leaves


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = Authority(tmp_path_factory.mktemp("pki"))
    for leaf in [*cluster_leaves(), *node_leaves(FIRST)]:
        made.issue(leaf)
    return made


def store(authority):
    return Store([x509.load_pem_x509_certificate((authority.folder / "ca.crt").read_bytes())])


def certificate(authority, name):
    return x509.load_pem_x509_certificate((authority.folder / f"{name}.crt").read_bytes())


@pytest.mark.parametrize("name", ["kubernetes.default.svc", "localhost"])
def test_the_api_server_is_verified_by_its_names(authority, name):
    verifier = PolicyBuilder().store(store(authority)).build_server_verifier(x509.DNSName(name))

    assert verifier.verify(certificate(authority, "apiserver"), [])


def test_a_kubelet_serves_under_its_nodes_address():
    """`kubectl logs` dials the address."""
    client, serving = node_leaves(NodeAddress(2))

    assert ("198.18.0.6",) == serving.addresses
    assert ("system:node:airlock-2", ("system:nodes",)) == (client.common_name, client.organizations)


@pytest.mark.parametrize("leaf", [*cluster_leaves(), *node_leaves(FIRST)], ids=lambda leaf: leaf.file)
def test_a_certificate_is_for_a_server_or_for_a_client(authority, leaf):
    usage = certificate(authority, leaf.file).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    wanted = ExtendedKeyUsageOID.SERVER_AUTH if leaf.serves else ExtendedKeyUsageOID.CLIENT_AUTH

    assert [wanted] == list(usage)


def test_only_the_administrator_is_a_master():
    assert ["admin"] == [leaf.file for leaf in cluster_leaves() if "system:masters" in leaf.organizations]


def test_no_key_can_be_read_by_others(authority):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in authority.folder.glob("*.key")}

    assert {0o600} == set(modes.values())


def test_an_authority_is_found_again(authority):
    before = (authority.folder / "ca.crt").read_bytes()

    Authority(authority.folder)

    assert before == (authority.folder / "ca.crt").read_bytes()


def test_a_kubeconfig_carries_all_that_it_needs(authority, tmp_path):
    authority.kubeconfig("admin", tmp_path / "kubeconfig")

    config = json.loads((tmp_path / "kubeconfig").read_text())
    assert "https://198.18.0.2:6443" == config["clusters"][0]["cluster"]["server"]
    assert {"client-certificate-data", "client-key-data"} == set(config["users"][0]["user"])
    assert 0o600 == stat.S_IMODE((tmp_path / "kubeconfig").stat().st_mode)
