"""``airlock keys``: what an install's keys are made of, and how each is replaced, against a played Kubernetes."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID
from doubles.kubernetes import NAMESPACE

from airlock_server.__main__ import main
from airlock_server.keys import certificates, contents
from airlock_server.keys.certificates import Pair
from airlock_server.keys.install import Install
from airlock_server.keys.tokens import InvalidToken, Tokens
from airlock_server.settings import JwtSettings

TI = "a53efd66-7c32-4a9d-b1bb-bd5bbaaa8173"


@pytest.fixture
def install(client):
    return Install(client, NAMESPACE, "airlock-server", lambda _: None)


def versions(kubernetes):
    return {key: found["metadata"]["resourceVersion"] for key, found in kubernetes.objects.items()}


def secret(kubernetes, name):
    return kubernetes.data("secrets", name)


def bundle(kubernetes):
    return x509.load_pem_x509_certificates(kubernetes.data("configmaps", "airlock-ca")["ca.crt"])


def server(kubernetes):
    return x509.load_pem_x509_certificate(secret(kubernetes, "airlock-server-tls")["tls.crt"])


def trusted(kubernetes):
    """Whether one of the bundle's authorities signed the server's certificate."""
    for each in bundle(kubernetes):
        try:
            server(kubernetes).verify_directly_issued_by(each)
        except Exception:
            continue
        return True
    return False


def test_setup_makes_keys_authority_certificate_and_bundle(install, kubernetes):
    install.set_up()
    names = server(kubernetes).extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value

    assert {64} == {len(value) for value in secret(kubernetes, "airlock-keys").values()}
    assert {"jwt.key", "encryption.key"} == set(secret(kubernetes, "airlock-keys"))
    assert {"ca.key", "ca.crt"} == set(secret(kubernetes, "airlock-ca"))
    assert {"tls.crt", "tls.key", "ca.crt"} == set(secret(kubernetes, "airlock-server-tls"))
    assert "kubernetes.io/tls" == kubernetes.objects["secrets", NAMESPACE, "airlock-server-tls"]["type"]
    assert "Opaque" == kubernetes.objects["secrets", NAMESPACE, "airlock-keys"]["type"]
    assert [
        "airlock-server", "airlock-server.team-a", "airlock-server.team-a.svc", "airlock-server.team-a.svc.cluster.local",
    ] == names.get_values_for_type(x509.DNSName)  # fmt: skip
    assert 1 == len(bundle(kubernetes))
    assert trusted(kubernetes)


def test_setup_again_changes_nothing(install, kubernetes):
    install.set_up()
    before = versions(kubernetes)
    install.set_up()

    assert versions(kubernetes) == before


def test_setup_was_killed_anywhere_and_goes_on(client, kubernetes):
    class Killed(Exception):
        pass

    for after in range(1, 8):
        kubernetes.objects.clear()
        writes = []

        def kill(method, path, writes=writes, after=after):
            writes.append(path)
            if len(writes) == after:
                kubernetes.away = True

        kubernetes.before = kill
        with pytest.raises(Exception, match="503"):
            Install(client, NAMESPACE, "airlock-server", lambda _: None).set_up()
        kubernetes.before, kubernetes.away = lambda *_: None, False
        kept = {key: found["data"] for key, found in kubernetes.objects.items()}
        Install(client, NAMESPACE, "airlock-server", lambda _: None).set_up()

        assert {key: kubernetes.objects[key]["data"] for key in kept} == kept
        assert trusted(kubernetes)


def test_two_jobs_at_once_end_with_one_set_of_keys(client, kubernetes):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Install(client, NAMESPACE, "airlock-server", lambda _: None).set_up(), range(4)))

    assert 4 == len(kubernetes.objects)
    assert 1 == len(bundle(kubernetes))
    assert trusted(kubernetes)


def test_a_job_that_reads_before_another_writes_takes_the_others_keys(install, client, kubernetes):
    """The other Job makes everything between this one's first look and its first write."""
    other = Install(client, NAMESPACE, "airlock-server", lambda _: None)
    kept = {}

    def race(method, path):
        if method == "POST" and not kept:
            kept["data"] = None
            other.set_up()
            kept["data"] = secret(kubernetes, "airlock-keys")

    kubernetes.before = race
    install.set_up()

    assert secret(kubernetes, "airlock-keys") == kept["data"]
    assert 1 == len(bundle(kubernetes))


def test_a_certificate_that_runs_out_soon_is_renewed_from_the_same_authority(install, kubernetes):
    install.set_up()
    authority = secret(kubernetes, "airlock-ca")
    past = dt.datetime.now(dt.UTC) - certificates.SERVER_LIFE + dt.timedelta(days=29)
    old = contents.renew_server(authority, contents.server_names("airlock-server", NAMESPACE), past)
    replace(kubernetes, "airlock-server-tls", old)
    install.set_up()

    assert server(kubernetes).not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=300)
    assert secret(kubernetes, "airlock-ca") == authority
    assert trusted(kubernetes)


def test_a_certificate_of_other_names_is_renewed(client, kubernetes):
    Install(client, NAMESPACE, "another-service", lambda _: None).set_up()
    before = secret(kubernetes, "airlock-ca")
    Install(client, NAMESPACE, "airlock-server", lambda _: None).set_up()

    names = server(kubernetes).extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert "airlock-server" in names.get_values_for_type(x509.DNSName)
    assert secret(kubernetes, "airlock-ca") == before


def test_what_others_put_into_the_bundle_stays(install, kubernetes):
    install.set_up()
    other = certificates.make_authority(dt.datetime.now(dt.UTC)).certificate
    kubernetes.objects["configmaps", NAMESPACE, "airlock-ca"]["data"]["ca.crt"] += other.decode()
    install.set_up()

    assert 2 == len(bundle(kubernetes))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("airlock-keys", {"jwt.key": b"short"}, "jwt.key holds 5 bytes"),
        ("airlock-keys", {"encryption.key": b"x" * 100}, "encryption.key holds 100 bytes"),
        ("airlock-ca", {"ca.key": b"x", "ca.crt": b"y"}, "no usable authority"),
    ],
)
def test_what_is_broken_is_left_for_a_person(install, kubernetes, name, data, says):
    install.set_up()
    replace(kubernetes, name, data)
    with pytest.raises(contents.KeysError, match=says):
        install.set_up()

    assert secret(kubernetes, name) == data


def test_a_key_that_is_missing_is_added_and_the_other_kept(install, kubernetes):
    replace(kubernetes, "airlock-keys", {"encryption.key": b"e" * 64})
    install.set_up()

    assert b"e" * 64 == secret(kubernetes, "airlock-keys")["encryption.key"]
    assert 64 == len(secret(kubernetes, "airlock-keys")["jwt.key"])


def test_the_authority_is_rotated_in_two_steps_between_which_both_are_trusted(install, kubernetes):
    install.set_up()
    old = bundle(kubernetes)[0]
    install.begin_authority()
    install.begin_authority()
    both = bundle(kubernetes)

    assert both[0] == old
    assert 2 == len(both)
    server(kubernetes).verify_directly_issued_by(old)
    install.set_up()
    assert bundle(kubernetes) == both

    install.finish_authority()
    assert bundle(kubernetes) == [both[1]]
    server(kubernetes).verify_directly_issued_by(both[1])
    assert {"ca.key", "ca.crt"} == set(secret(kubernetes, "airlock-ca"))
    before = versions(kubernetes)
    install.set_up()
    assert versions(kubernetes) == before


def test_a_finish_without_a_beginning_is_refused(install):
    install.set_up()
    with pytest.raises(contents.KeysError, match="no rotation of the authority has begun"):
        install.finish_authority()


def test_a_finish_that_was_cut_short_is_finished_by_the_next(install, kubernetes):
    install.set_up()
    install.begin_authority()

    def cut(method, path):
        kubernetes.away = method == "GET" and path.endswith("airlock-server-tls")

    kubernetes.before = cut
    with pytest.raises(Exception, match="503"):
        install.finish_authority()
    kubernetes.before, kubernetes.away = lambda *_: None, False
    install.finish_authority()

    assert 1 == len(bundle(kubernetes))
    assert trusted(kubernetes)


def test_rotating_the_server_makes_a_new_certificate_of_the_same_authority(install, kubernetes):
    install.set_up()
    before = server(kubernetes)
    install.rotate_server()

    assert server(kubernetes).serial_number != before.serial_number
    assert trusted(kubernetes)


def test_tokens_of_the_old_signing_key_hold_until_the_rotation_is_finished(install, kubernetes):
    install.set_up()
    old = Tokens(secret(kubernetes, "airlock-keys")["jwt.key"], JwtSettings()).mint_execution(TI)
    install.begin_jwt()
    both = Tokens(secret(kubernetes, "airlock-keys")["jwt.key"], JwtSettings())
    new = both.mint_execution(TI)

    assert both.verify(old).sub == both.verify(new).sub == TI
    install.finish_jwt()
    one = Tokens(secret(kubernetes, "airlock-keys")["jwt.key"], JwtSettings())
    assert TI == one.verify(new).sub
    with pytest.raises(InvalidToken):
        one.verify(old)


def test_a_signing_key_is_not_rotated_for_ever(install, kubernetes):
    install.set_up()
    install.begin_jwt()
    install.begin_jwt()
    with pytest.raises(contents.KeysError, match="--finish"):
        install.begin_jwt()


def test_nothing_is_rotated_before_it_was_set_up(install):
    for rotate in (install.rotate_server, install.begin_authority, install.finish_authority, install.begin_jwt):
        with pytest.raises(contents.KeysError, match="airlock keys setup"):
            rotate()


def test_the_commands_say_what_they_did(kubernetes, monkeypatch, tmp_path, capsys):
    for name, value in (kubernetes.settings | {"AIRLOCK_HOME": str(tmp_path / "absent")}).items():
        monkeypatch.setenv(name, value)

    assert 0 == main(["keys", "setup", "--namespace", NAMESPACE])
    assert "Secret airlock-keys: created" in capsys.readouterr().out
    assert 0 == main(["keys", "setup", "--namespace", NAMESPACE])
    assert "Secret airlock-keys: unchanged" in capsys.readouterr().out
    assert 0 == main(["keys", "rotate", "ca", "--namespace", NAMESPACE])
    assert 0 == main(["keys", "rotate", "ca", "--finish", "--namespace", NAMESPACE])
    assert 0 == main(["keys", "rotate", "server", "--namespace", NAMESPACE])
    assert 0 == main(["keys", "rotate", "jwt", "--namespace", NAMESPACE])
    assert 0 == main(["keys", "rotate", "jwt", "--finish", "--namespace", NAMESPACE])
    capsys.readouterr()
    assert 2 == main(["keys", "rotate", "server", "--finish", "--namespace", NAMESPACE])
    assert 1 == main(["keys", "rotate", "ca", "--finish", "--namespace", NAMESPACE])
    assert 2 == main(["keys", "setup"])
    assert "--namespace" in capsys.readouterr().err
    assert not (tmp_path / "absent").exists()


def test_a_private_key_is_never_shown(install):
    made = certificates.make_authority(dt.datetime.now(dt.UTC))
    private = serialization.load_pem_private_key(made.key, None)

    assert private is not None
    assert "PRIVATE" not in repr(Pair(made.certificate, made.key))


def replace(kubernetes, name, data):
    import base64

    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    key = ("secrets", NAMESPACE, name)
    found = kubernetes.objects.get(key, {"metadata": {"name": name, "namespace": NAMESPACE}, "type": "Opaque"})
    kubernetes.objects[key] = {
        **found,
        "metadata": {**found["metadata"], "resourceVersion": "planted", "uid": "u"},
        "data": encoded,
    }
