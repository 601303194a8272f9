"""``airlock api-server`` as a container runs it: settings, TLS, probes, JSON logs, one replica, another user."""

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import ssl
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
from doubles import interpreter
from doubles.podserver import NAMES, PodServer

from airlock_server.home import HomeError, of_others, read_mounted_key
from airlock_server.keys import certificates
from airlock_server.web.certificate import CertificateFiles
from airlock_wire.pod import PLATFORM_UID

AIRLOCK = [sys.executable, "-m", "airlock_server"]


def test_it_serves_tls_with_mounted_keys_and_answers_probes(pod_server):
    with pod_server.serving() as server:
        alive, ready = pod_server.get("/healthz"), pod_server.get("/readyz")
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=20)
    lines = [json.loads(line) for line in out.splitlines()]

    assert (200, {"status": "ok"}) * 2 == (alive.status_code, alive.json(), ready.status_code, ready.json())
    assert 0 == server.returncode
    assert ["listening", "stopped"] == [line["event"] for line in lines]
    assert lines[0]["url"] == f"https://0.0.0.0:{pod_server.port}/execution"
    assert "" == err
    assert {"airlock.db", "api-server.lock"} == {path.name for path in pod_server.home.iterdir()}


@pytest.mark.slow
def test_a_second_server_of_one_home_is_refused_and_told_who_has_it(pod_server):
    def run(*command):
        return subprocess.run([*AIRLOCK, *command], env=pod_server.env, capture_output=True, text=True, timeout=60)

    with pod_server.serving() as server:
        pod_server.get("/healthz")
        second = run("api-server")
        beside = [run("variables", "set", "k", "v"), run("grants", "add", "variable", "k", "--namespace", "team-a")]
        server.kill()
        server.wait(10)

    assert 2 == second.returncode
    assert f"process {server.pid}" in second.stderr
    assert "run one replica" in second.stderr
    assert [0, 0] == [each.returncode for each in beside]
    with pod_server.serving():
        assert 200 == pod_server.get("/healthz").status_code


def test_kubernetes_is_missed_at_the_start_and_not_at_the_first_question(pod_server):
    pod_server.env["AIRLOCK__KUBERNETES__ENABLED"] = "true"
    done = subprocess.run([*AIRLOCK, "api-server"], env=pod_server.env, capture_output=True, text=True, timeout=60)

    assert 2 == done.returncode
    assert "KUBERNETES_SERVICE_HOST" in done.stderr


def test_an_exchange_goes_through_the_process_and_is_audited_on_stdout(pod_server, kubernetes):
    pod_server.env |= kubernetes.settings
    token = kubernetes.pod(kubernetes.taskrun())
    with pod_server.serving() as server:
        pod_server.get("/readyz")
        answer = httpx.post(
            pod_server.url.replace("/execution", "/airlock/v1/exchange"),
            headers={"authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cadata=pod_server.authority),
        )
        server.send_signal(signal.SIGTERM)
        out, _ = server.communicate(timeout=20)
    audited = [line for line in map(json.loads, out.splitlines()) if line["logger"] == "airlock.audit"]

    assert 200 == answer.status_code
    assert [("exchange", "granted", "team-a/job-1")] == [
        (line["event"], line["outcome"], line["pod"]) for line in audited
    ]
    assert token not in out


@pytest.fixture
def workshop():
    """A folder that any user can enter, with an interpreter in it."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    folder = Path(tempfile.mkdtemp(prefix="airlock-pod-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_it_works_as_the_platforms_user_on_a_volume_of_the_pods_group(workshop):
    """A kubelet gives a volume to the pod's group and lets it write, and may do so again at each start of a pod."""
    python = interpreter.make(workshop)
    server = PodServer(workshop)
    volume = server.home.parent
    volume.mkdir()
    for file in server.mounted.iterdir():
        os.chown(file, 0, PLATFORM_UID)
    for _ in range(2):
        for path in (volume, *volume.rglob("*")):
            os.chown(path, -1, PLATFORM_UID)
            path.chmod(path.stat().st_mode | (0o2070 if path.is_dir() else 0o060))
        me = {"user": PLATFORM_UID, "group": PLATFORM_UID, "extra_groups": [PLATFORM_UID], "cwd": "/"}
        with server.serving(python, **me) as process:
            assert 200 == server.get("/readyz").status_code
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(20)


def test_a_mounted_key_may_be_the_groups_to_read_and_nobody_elses(tmp_path):
    file = tmp_path / "jwt.key"
    file.write_bytes(b"k" * 128)
    file.chmod(0o440)
    assert b"k" * 128 == read_mounted_key(file, at_most=3)
    for mode in (0o444, 0o660):
        file.chmod(mode)
        with pytest.raises(HomeError, match="defaultMode 0440"):
            read_mounted_key(file, at_most=3)


@pytest.mark.parametrize("size", [0, 1, 63, 65, 256])
def test_a_key_file_holds_whole_keys_and_not_too_many(tmp_path, size):
    file = tmp_path / "jwt.key"
    file.write_bytes(b"k" * size)
    file.chmod(0o400)
    with pytest.raises(HomeError, match=f"holds {size} bytes"):
        read_mounted_key(file, at_most=3)


@pytest.mark.parametrize(
    ("mode", "gid", "uid", "others"),
    [
        (0o700, 1000, 1000, 0o700),
        (0o770, 1000, 1000, 0o770),
        (0o2770, PLATFORM_UID, PLATFORM_UID, 0o2700),
        (0o2770, 0, PLATFORM_UID, 0o2770),
        (0o777, PLATFORM_UID, PLATFORM_UID, 0o707),
    ],
)
def test_the_group_of_the_images_own_user_counts_as_the_owner(mode, gid, uid, others):
    assert of_others(stat.S_IFDIR | mode, gid, uid) == others


def test_a_renewed_certificate_is_used_without_a_restart(pod_server):
    mounted = pod_server.mounted
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mounted / "tls.crt", mounted / "tls.key")
    files = CertificateFiles(context, str(mounted / "tls.crt"), str(mounted / "tls.key"))
    first = shown(context)
    assert not files.reload_if_changed()

    now = dt.datetime.now(dt.UTC)
    new = certificates.sign_server(certificates.make_authority(now), NAMES, now)
    (mounted / "tls.crt").write_bytes(new.certificate)
    assert not files.reload_if_changed()
    assert shown(context) == first
    (mounted / "tls.key").write_bytes(new.key)
    assert files.reload_if_changed()
    assert shown(context) != first
    (mounted / "tls.key").unlink()
    assert not files.reload_if_changed()


def shown(context):
    """The certificate that a client is shown, by a handshake in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = context.wrap_bio(to_server, to_client, server_side=True)
    ours = client.wrap_bio(to_client, to_server, server_side=False)
    for _ in range(4):
        for side in (ours, theirs):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return ours.getpeercert(binary_form=True)
