"""AIRLOCK_HOME and its keys."""

import multiprocessing
import stat

import pytest

from airlock_server.home import KEY_BYTES, Home, HomeError
from airlock_server.installation import Installation


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def home(tmp_path):
    return Home.open({"AIRLOCK_HOME": str(tmp_path / "home")})


def test_a_home_is_made_for_its_owner_only(tmp_path):
    made = home(tmp_path)
    assert 0o700 == mode(made.path)
    assert made.database_url.endswith("home/airlock.db")


def test_the_default_is_in_the_users_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home.open({}).path == tmp_path / ".airlock"


def test_keys_are_made_once_and_kept(tmp_path):
    made = home(tmp_path)
    jwt, encryption = made.jwt_key(), made.encryption_key()
    assert len(jwt) == len(encryption) == KEY_BYTES
    assert jwt != encryption
    assert (home(tmp_path).jwt_key(), home(tmp_path).encryption_key()) == (jwt, encryption)
    assert ["encryption.key", "jwt.key"] == sorted(path.name for path in made.path.iterdir())
    assert 0o600 == mode(made.path / "jwt.key")


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused_with_the_fix(tmp_path, bits):
    made = home(tmp_path)
    made.jwt_key()
    (made.path / "jwt.key").chmod(bits)
    with pytest.raises(HomeError, match="chmod 600"):
        made.jwt_key()


def test_a_home_that_others_can_write_is_refused_with_the_fix(tmp_path):
    home(tmp_path).path.chmod(0o770)
    with pytest.raises(HomeError, match="chmod 700"):
        home(tmp_path)


def test_a_damaged_key_is_refused_and_not_replaced(tmp_path):
    made = home(tmp_path)
    made.jwt_key()
    (made.path / "jwt.key").write_bytes(b"short")
    with pytest.raises(HomeError, match="5 bytes instead of 64"):
        made.jwt_key()
    assert b"short" == (made.path / "jwt.key").read_bytes()


def test_a_home_that_cannot_be_made_says_why(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="cannot be made"):
        Home.open({"AIRLOCK_HOME": str(tmp_path / "file" / "home")})


def _key(path, barrier, answers):
    barrier.wait(30)
    answers.put(Home.open({"AIRLOCK_HOME": path}).jwt_key())


def test_processes_that_start_at_once_agree_on_the_key(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_key, args=(str(tmp_path / "home"), barrier, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    keys = {answers.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    assert 1 == len(keys)


def test_an_installation_has_all_its_parts(tmp_path):
    with Installation({"AIRLOCK_HOME": str(tmp_path / "home")}) as here:
        ti_id = "7e3c3b3e-0000-4000-8000-000000000000"
        assert here.tokens.verify(here.tokens.mint_workload(ti_id)).sub == ti_id
        assert "x" == here.encryption.decrypt(here.encryption.encrypt("x", "p"), "p")
        assert 1 == here.database.read(lambda conn: conn.exec_driver_sql("SELECT 1").scalar())
