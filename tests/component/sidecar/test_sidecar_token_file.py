"""A task's token in a mounted file, minted by somebody else: read at the start, and again when it is refused."""

import threading
import time

import pytest
from doubles.api import RUN_CONTEXT, Answer
from doubles.launcher import SUCCEED
from doubles.sidecar import TI, work

from airlock_wire.record import Reason


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text("minted-1\n")
    return file


@pytest.fixture
def make_secret_sidecar(make_sidecar, token_file):
    """Makes a sidecar whose token is in a file; it is not started."""

    def make(**settings):
        own = {"sidecar__token_file": token_file, "sidecar__token_wait_seconds": 10}
        return make_sidecar(work(judges=False), **own | settings)

    return make


def only_with(api, good):
    """The server takes only tokens of ``good``, and says of others what Airflow says."""
    usual = api.answer

    def answer(call):
        if call.token not in good:
            return Answer(403, {"detail": "Invalid auth token: Signature has expired"})
        return usual(call)

    api.answer = answer


def runs(api):
    return [call.token for call in api.calls if call.path.endswith("/run")]


def renew(api, token_file):
    """Whoever mints the token writes the next one once the first was refused, however busy the machine is."""
    ends = time.monotonic() + 30
    while not runs(api) and time.monotonic() < ends:
        time.sleep(0.01)
    token_file.write_text("minted-2")


def stopped(launcher):
    launcher.connect()
    launcher.say("forked")
    launcher.hear("stop")
    launcher.exit(None, 15)


def test_the_files_token_is_shown_at_run_and_nothing_is_exchanged(api, make_secret_sidecar, make_launcher):
    sidecar = make_secret_sidecar().start(None)
    launcher = make_launcher(sidecar)
    startup = launcher.begin()
    launcher.ask(SUCCEED)
    launcher.exit()

    assert (Reason.SUCCEEDED, ["success"]) == (sidecar.end().reason, api.states())
    assert ["minted-1"] == runs(api)
    assert startup["ti"]["id"] == TI.id
    assert [] == [call for call in api.calls if "exchange" in call.path]


def test_a_refused_token_is_waited_with_until_the_file_holds_another(
    api, make_secret_sidecar, make_launcher, token_file
):
    only_with(api, {"minted-2"})
    sidecar = make_secret_sidecar().start(None)
    renewal = threading.Thread(target=renew, args=(api, token_file))
    renewal.start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    launcher.ask(SUCCEED)
    launcher.exit()
    renewal.join()

    assert (Reason.SUCCEEDED, ["success"]) == (sidecar.end().reason, api.states())
    assert ["minted-1", "minted-2"] == runs(api)
    assert ["the server refused the task's token; waiting up to 10 s for another"] == [
        line["event"] for line in sidecar.log()
    ]
    assert "minted" not in sidecar.log_path.read_text()


def test_a_file_that_is_never_renewed_ends_the_launch(api, make_secret_sidecar, make_launcher):
    only_with(api, set())
    sidecar = make_secret_sidecar(sidecar__token_wait_seconds=1).start(None)
    stopped(make_launcher(sidecar))

    assert Reason.TOKEN_EXPIRED == sidecar.end().reason
    assert ["minted-1"] == runs(api)
    assert [] == api.states()


def test_a_file_that_is_renewed_in_vain_ends_the_launch(api, make_secret_sidecar, make_launcher, token_file):
    only_with(api, set())
    renewed = iter(range(2, 100))
    refuse = api.answer

    def answer(call):
        token_file.write_text(f"minted-{next(renewed)}")
        return refuse(call)

    api.answer = answer
    sidecar = make_secret_sidecar().start(None)
    stopped(make_launcher(sidecar))

    assert Reason.TOKEN_EXPIRED == sidecar.end().reason
    assert 4 == len(runs(api))


def test_a_file_that_comes_late_is_waited_for(api, make_secret_sidecar, make_launcher, token_file):
    only_with(api, {"minted-2"})
    token_file.write_text("")
    sidecar = make_secret_sidecar().start(None)
    renewal = threading.Timer(0.7, token_file.write_text, ["minted-2"])
    renewal.start()

    assert "StartupDetails" == make_launcher(sidecar).begin()["type"]
    renewal.join()


def test_after_a_restart_the_token_that_the_server_gave_is_used_and_not_the_files(
    api, make_secret_sidecar, make_launcher
):
    api.answers["/run"] = lambda _: Answer(200, RUN_CONTEXT, {"Refreshed-API-Token": "running-1"})
    sidecar = make_secret_sidecar().start(None)
    launcher = make_launcher(sidecar)
    launcher.begin()
    sidecar.kill()
    sidecar.start(None)
    launcher.come_back()
    launcher.ask(SUCCEED)
    launcher.exit()

    assert Reason.SUCCEEDED == sidecar.end().reason
    assert "running-1" == api.calls[-1].token
