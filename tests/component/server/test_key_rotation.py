"""``airlock keys rotate`` of a home, and the stored values under its keys; killed half way, nothing is lost."""

import base64
import json
import multiprocessing
import os
import signal
import stat

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from doubles.kubernetes import NAMESPACE

from airlock_server.__main__ import main
from airlock_server.installation import Installation
from airlock_server.keys import contents, key_file
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.install import Install
from airlock_server.keys.tokens import InvalidToken
from airlock_server.secrets import reencryption
from airlock_server.store import connections, schema, variables
from airlock_server.store.connections import Connection
from airlock_wire.process.settings import SettingsError

PEM = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
TI = "a53efd66-7c32-4a9d-b1bb-bd5bbaaa8173"
COUNT = 25


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRLOCK_HOME", str(tmp_path / "home"))
    with installation() as here:
        here.database.write(lambda conn: fill(conn, here.encryption))
    return tmp_path / "home"


def installation():
    return Installation(dict(os.environ))


def fill(conn, encryption):
    for n in range(COUNT):
        variables.put(conn, encryption, f"v{n:03}", f"value {n}", None)
        new = Connection(conn_id=f"c{n:03}", conn_type="http", password=f"password {n}", extra=f'{{"n": {n}}}')
        connections.put(conn, encryption, new)
    variables.put(conn, encryption, "null", None, None)
    connections.put(conn, encryption, Connection(conn_id="bare", conn_type="http"))


def keys(home, name="encryption.key"):
    return key_file.split((home / name).read_bytes())


def whole(db, encryption):
    """Whether every value is what it was, with these keys."""
    return db.read(
        lambda conn: [
            (
                variables.get(conn, encryption, f"v{n:03}")[1],
                connections.get(conn, encryption, f"c{n:03}").password,
                connections.get(conn, encryption, f"c{n:03}").extra,
            )
            for n in range(COUNT)
        ]
    ) == [(f"value {n}", f"password {n}", f'{{"n": {n}}}') for n in range(COUNT)]


def left(db, key):
    """The number of values that are not under a key."""
    encryption = Encryption(key)

    def count(conn):
        return sum(
            row[1] is not None and not encryption.is_under_first(row[1], f"{table.name}/{row[0]}/{column}")
            for table, name, columns in reencryption.ENCRYPTED
            for column in columns
            for row in conn.execute(sa.select(table.c[name], table.c[column]))
        )

    return db.read(count)


def test_every_encrypted_column_is_encrypted_anew():
    binary = {
        (table.name, column.name)
        for table in schema.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary)
    }
    # These are JSON as tasks and DAG files have it, and are not encrypted.
    clear = {
        ("xcom", "value"),
        ("dag_version", "data"),
        ("rendered_fields", "fields"),
        ("task_state", "value"),
        ("asset_state", "value"),
    }

    encrypted = {(table.name, column) for table, _, columns in reencryption.ENCRYPTED for column in columns}
    assert encrypted == binary - clear


def test_the_key_of_secrets_is_rotated_in_two_steps(home, capsys):
    (old,) = keys(home)
    assert 0 == main(["keys", "rotate", "encryption"])
    new, behind = keys(home)

    assert behind == old != new
    assert f"{3 * COUNT} values encrypted anew" in capsys.readouterr().out
    with installation() as here:
        assert 0 == left(here.database, new)
        assert whole(here.database, here.encryption)
    assert 0 == main(["keys", "rotate", "encryption", "--finish"])
    assert "the old key is dropped" in capsys.readouterr().out
    assert [new] == keys(home)
    assert 0o600 == stat.S_IMODE((home / "encryption.key").stat().st_mode)
    with installation() as here:
        assert whole(here.database, here.encryption)
    assert 0 == main(["keys", "rotate", "encryption", "--finish"])
    assert "nothing to drop" in capsys.readouterr().out
    assert [new] == keys(home)
    assert ["airlock.db", "encryption.key"] == sorted(
        path.name for path in home.iterdir() if not path.name.startswith("airlock.db-")
    )


def test_the_first_step_again_makes_no_further_key(home, capsys):
    main(["keys", "rotate", "encryption"])
    both = keys(home)
    assert 0 == main(["keys", "rotate", "encryption"])

    assert both == keys(home)
    assert "a rotation is under way and goes on" in capsys.readouterr().out


def _killed_between_batches(environ, after):
    os.environ.update(environ)
    batches = []

    def kill(_changed):
        batches.append(None)
        if len(batches) == after:
            os.kill(os.getpid(), signal.SIGKILL)

    with installation() as here:
        key_file.prepend(here.encryption_file)
        encryption = Encryption(*key_file.split(here.read_encryption_keys()))
        reencryption.reencrypt(here.database, encryption, batch=4, after_batch=kill)


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_rotation_that_is_killed_between_batches_loses_nothing_and_is_carried_on(home, after):
    process = multiprocessing.get_context("spawn").Process(
        target=_killed_between_batches, args=({"AIRLOCK_HOME": str(home)}, after)
    )
    process.start()
    process.join(60)
    assert -signal.SIGKILL == process.exitcode
    new, old = keys(home)
    with installation() as here:
        assert 0 < left(here.database, new) < 3 * COUNT
        assert 0 < left(here.database, old) < 3 * COUNT
        assert whole(here.database, here.encryption)

    assert 0 == main(["keys", "rotate", "encryption"])
    assert [new, old] == keys(home)
    with installation() as here:
        assert 0 == left(here.database, new)
    assert 0 == main(["keys", "rotate", "encryption", "--finish"])
    with installation() as here:
        assert whole(here.database, here.encryption)


def test_a_finish_first_encrypts_what_is_still_under_the_old_key(home):
    key_file.prepend(home / "encryption.key")
    assert 0 == main(["keys", "rotate", "encryption", "--finish"])

    with installation() as here:
        assert whole(here.database, here.encryption)


def test_a_running_server_reads_and_writes_through_both_steps(home):
    """Its keys are those of its start; the commands are other processes."""
    with installation() as server:
        encryption = server.encryption
        for step in (["encryption"], ["encryption", "--finish"]):
            assert 0 == main(["keys", "rotate", *step])
            assert whole(server.database, encryption)
            server.database.write(lambda conn: variables.put(conn, encryption, "late", "value", None))
            with installation() as other:
                late = other.database.read(lambda conn, other=other: variables.get(conn, other.encryption, "late"))
            assert (True, "value") == late


def test_a_key_file_that_is_gone_leaves_a_running_server_its_keys(home):
    with installation() as server:
        encryption = server.encryption
        (home / "encryption.key").unlink()

        assert whole(server.database, encryption)
        assert "x" == encryption.decrypt(encryption.encrypt("x", "p"), "p")
        assert not (home / "encryption.key").exists()


def test_a_value_that_no_key_opens_is_named_and_kept(home, capsys):
    with installation() as here:
        lost = Encryption(b"x" * 64)
        here.database.write(lambda conn: variables.put(conn, lost, "lost", "value", None))
    assert 0 == main(["keys", "rotate", "encryption"])

    assert "variable/lost/value: none of the keys opens it" in capsys.readouterr().out
    with installation() as here:
        assert (True, "value") == here.database.read(lambda conn: variables.get(conn, lost, "lost"))


def test_the_key_that_signs_is_rotated_in_two_steps(home, capsys):
    with installation() as here:
        old = here.tokens.mint_execution(TI)
    assert 0 == main(["keys", "rotate", "jwt"])
    with installation() as here:
        new = here.tokens.mint_execution(TI)
        assert [TI, TI] == [here.tokens.verify(token).sub for token in (old, new)]
    assert 0 == main(["keys", "rotate", "jwt", "--finish"])
    with installation() as here:
        assert TI == here.tokens.verify(new).sub
        with pytest.raises(InvalidToken):
            here.tokens.verify(old)
    assert 1 == len(keys(home, "jwt.key"))
    assert "Restart the server" in capsys.readouterr().out


def test_a_home_signs_with_three_keys_at_most(home, capsys):
    assert [0, 0, 1] == [main(["keys", "rotate", "jwt"]) for _ in range(3)]
    assert "--finish" in capsys.readouterr().err


@pytest.mark.parametrize("step", [["rotate", "encryption"], ["rotate", "encryption", "--finish"]])
def test_a_key_that_is_a_setting_is_not_rotated_by_the_command(home, monkeypatch, capsys, step):
    monkeypatch.setenv("AIRLOCK__ENCRYPTION__KEY", base64.urlsafe_b64encode(b"q" * 32).decode())

    assert 2 == main(["keys", *step])
    assert "is a setting, which this command cannot change" in capsys.readouterr().err


def test_values_are_encrypted_anew_under_the_first_key_of_the_setting(home, monkeypatch, capsys):
    old, new = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"o", b"n"))
    monkeypatch.setenv("AIRLOCK__ENCRYPTION__KEY", old)
    with installation() as here:
        here.database.write(lambda conn: fill(conn, here.encryption))
    monkeypatch.setenv("AIRLOCK__ENCRYPTION__KEY", f"{new},{old}")
    assert 0 == main(["keys", "reencrypt"])
    assert f"{3 * COUNT} values encrypted anew" in capsys.readouterr().out
    monkeypatch.setenv("AIRLOCK__ENCRYPTION__KEY", new)
    with installation() as here:
        assert whole(here.database, here.encryption)


def test_an_install_in_kubernetes_drops_the_old_key_only_after_all_values_are_under_the_new(
    client, kubernetes, home, monkeypatch, capsys
):
    """The Job that writes the Secret has no database, so the server's pod says which key the values are under."""
    for name, value in kubernetes.settings.items():
        monkeypatch.setenv(name, value)
    rotate = ["keys", "rotate", "encryption", "--namespace", NAMESPACE]
    Install(client, NAMESPACE, "airlock-server", lambda _: None).set_up()
    old = secret_keys(kubernetes)
    mounted = home.parent / "mounted.key"
    mounted.write_bytes(old)
    mounted.chmod(0o440)
    monkeypatch.setenv("AIRLOCK__ENCRYPTION__KEY_FILE", str(mounted))
    with installation() as here:
        here.database.write(lambda conn: fill(conn, here.encryption))

    assert [0, 0] == [main(rotate), main(rotate)]
    new, behind = key_file.split(secret_keys(kubernetes))
    assert behind == old != new
    assert 1 == main([*rotate, "--finish"])
    assert 1 == main([*rotate, "--finish", "--reencrypted", key_file.fingerprint(old)])
    refusal = capsys.readouterr().err
    assert "airlock keys reencrypt" in refusal
    assert key_file.fingerprint(new) not in refusal

    mounted.chmod(0o600)
    mounted.write_bytes(secret_keys(kubernetes))
    mounted.chmod(0o440)
    assert 0 == main(["keys", "reencrypt"])
    assert f"Every value is under key {key_file.fingerprint(new)}, the first of 2" in capsys.readouterr().out
    assert 0 == main([*rotate, "--finish", "--reencrypted", key_file.fingerprint(new)])
    assert secret_keys(kubernetes) == new
    with installation() as here:
        assert 0 == left(here.database, new)


def secret_keys(kubernetes):
    return kubernetes.data("secrets", contents.KEYS)[contents.ENCRYPTION_KEY]


# --- private keys ---


@pytest.fixture(params=["Ed25519", "RSA"])
def private_file(request, tmp_path, monkeypatch):
    """A home whose tokens a private key signs."""
    key = ed25519.Ed25519PrivateKey.generate() if request.param == "Ed25519" else rsa.generate_private_key(65537, 2048)
    file = tmp_path / "signing.pem"
    file.write_bytes(key.private_bytes(*PEM))
    file.chmod(0o600)
    monkeypatch.setenv("AIRLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRLOCK__JWT__PRIVATE_KEY_FILE", str(file))
    return file


def test_a_private_key_is_rotated_and_the_old_one_verifies_until_the_last_step(private_file, capsys):
    with installation() as here:
        old = here.tokens.mint_execution(TI)
    assert 0 == main(["keys", "rotate", "jwt"])
    with installation() as here:
        new = here.tokens.mint_execution(TI)
        assert [TI, TI] == [here.tokens.verify(each).sub for each in (old, new)]
    assert 0 == main(["keys", "rotate", "jwt", "--finish"])
    with installation() as here:
        assert TI == here.tokens.verify(new).sub
        with pytest.raises(InvalidToken):
            here.tokens.verify(old)
    assert 0o600 == stat.S_IMODE(private_file.stat().st_mode)
    assert 0 == main(["keys", "rotate", "jwt", "--finish"])


def test_the_public_halves_are_printed_for_others(private_file, capsys):
    main(["keys", "rotate", "jwt"])
    capsys.readouterr()

    assert 0 == main(["keys", "jwks"])
    there = json.loads(capsys.readouterr().out)["keys"]
    assert 2 == len({each["kid"] for each in there})
    assert not {"d", "p", "q"} & {name for each in there for name in each}


def test_a_private_key_file_holds_only_so_many_keys(private_file, capsys):
    assert [0, 0, 1] == [main(["keys", "rotate", "jwt"]) for _ in range(3)]
    assert "--finish" in capsys.readouterr().err


def test_a_private_key_that_others_can_read_is_refused(private_file, capsys):
    private_file.chmod(0o644)

    assert 2 == main(["keys", "jwks"])
    assert "chmod" in capsys.readouterr().err


def test_a_secret_has_no_public_half(home, capsys):
    assert 2 == main(["keys", "jwks"])
    assert "private_key_file" in capsys.readouterr().err


def test_the_keys_of_others_need_a_private_key(home, monkeypatch, capsys):
    monkeypatch.setenv("AIRLOCK__JWT__JWKS", "https://example.org/keys")
    with installation() as here, pytest.raises(SettingsError, match="private_key_file"):
        _ = here.tokens
