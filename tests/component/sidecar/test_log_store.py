"""A task's log on its way into an object store: a real S3 server, whose objects are files that the tests read."""

import json
import signal
import time
from pathlib import Path

import pytest
from doubles.launcher import SUCCEED
from doubles.sidecar import work

#: The server is built on first use, which takes minutes on a small machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LOG = "dag_id=d/run_id=scheduled__2026-01-01T00:00:00+00:00/task_id=t/attempt=1.log"
SECRET = "s3cr3t-of-a-connection"


def until(condition, seconds=15):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def told(sidecar):
    """What the sidecar itself said in the log, as kept locally."""
    return " | ".join(line["event"] for line in sidecar.log() if line["logger"] == "airlock.sidecar")


def heartbeats(api):
    return sum(call.path.endswith("/heartbeat") for call in api.calls)


@pytest.fixture
def launch(make_sidecar, make_launcher):
    """Starts a launch of the try in a pod of its own: a sidecar with empty folders."""

    def begin(**settings):
        sidecar = make_sidecar(work(log_path=LOG), **settings).start()
        launcher = make_launcher(sidecar)
        launcher.begin()
        return sidecar, launcher

    return begin


def succeed(sidecar, launcher):
    launcher.ask(SUCCEED)
    launcher.exit(0)
    return sidecar.end(40)


def test_two_launches_of_a_try_make_one_object_with_all_lines_in_order(s3, launch):
    for first in (0, 100):
        sidecar, launcher = launch(**s3.settings())
        launcher.write("stdout", b"".join(b"line %d\n" % n for n in range(first, first + 100)))
        record = succeed(sidecar, launcher)
        assert 0 == record.log_missing

    assert [LOG] == s3.names()
    assert [f"line {n}" for n in range(200)] == s3.printed()
    assert all(line["try_number"] == 1 and line["dag_id"] == "d" for line in s3.lines())


def test_lines_are_in_the_store_while_the_task_runs_and_after_its_node_is_lost(s3, launch):
    sidecar, launcher = launch(**s3.settings())
    launcher.write("stdout", b"first\n")
    until(lambda: "first" in s3.printed())
    launcher.write("stdout", b"second\n")
    until(lambda: "second" in s3.printed())

    sidecar.kill()
    launcher.vanish()
    sidecar, launcher = launch(**s3.settings())
    launcher.write("stdout", b"third\n")
    succeed(sidecar, launcher)

    assert ["first", "second", "third"] == s3.printed()


def test_a_log_longer_than_a_segment_goes_on_in_the_next_object_that_airflow_reads(s3, launch):
    sidecar, launcher = launch(**s3.settings(segment_mib=1, local_mib=4))
    lines = [f"{n:06d} " + "x" * 1000 for n in range(4000)]
    for at in range(0, 4000, 50):
        launcher.write("stdout", "".join(f"{line}\n" for line in lines[at : at + 50]).encode())
    succeed(sidecar, launcher)
    sidecar, launcher = launch(**s3.settings(segment_mib=1, local_mib=4))
    launcher.write("stdout", b"resumed\n")
    succeed(sidecar, launcher)

    assert s3.names()[:3] == [LOG, f"{LOG}.000001", f"{LOG}.000002"]
    assert all((s3.objects / "prefix" / key).stat().st_size <= 1024 * 1024 for key in s3.names())
    assert [*lines, "resumed"] == s3.printed()


def test_what_a_sidecar_was_killed_over_is_in_the_store_once_and_whole_after_its_restart(s3, launch):
    sidecar, launcher = launch(**s3.settings(chunk_seconds=0.05))
    for n in range(60):
        launcher.write("stdout", b"line %d\n" % n)
        time.sleep(0.01)
        if n % 20 == 10:
            # Between a write to the store and what is noted of it there is nowhere to stand; these fall where they fall.
            sidecar.kill()
            sidecar.start()
            launcher.come_back()
    record = succeed(sidecar, launcher)

    assert 3 == record.restarts
    # A kill between a line's way into the log and its end in the spool doubles it in the log; the store has what that has.
    assert sidecar.log_path.read_bytes() == s3.content()
    assert [f"line {n}" for n in range(60)] == sorted(set(s3.printed()), key=lambda line: int(line.split()[1]))


def test_a_store_that_is_away_is_waited_for_and_the_task_goes_on_meanwhile(s3, launch, api):
    s3.stop()
    sidecar, launcher = launch(**s3.settings(), sidecar__heartbeat_seconds=0.2)
    launcher.write("stdout", b"while it was away\n")
    until(lambda: "the log store does not answer" in told(sidecar))
    beats = heartbeats(api)
    until(lambda: heartbeats(api) > beats + 3)
    s3.start()
    until(lambda: "the log store takes this log again" in told(sidecar), 45)
    until(lambda: "while it was away" in s3.printed())
    record = succeed(sidecar, launcher)

    assert (0, "success") == (record.log_missing, record.state)
    assert 1 == told(sidecar).count("does not answer")


@pytest.mark.parametrize("leave", ["stop", "freeze"])
def test_a_store_that_is_away_at_the_end_is_waited_for_within_a_bound_and_that_is_said(leave, s3, launch):
    sidecar, launcher = launch(**s3.settings(final_seconds=2))
    launcher.write("stdout", b"arrived\n")
    until(lambda: s3.names())
    getattr(s3, leave)()
    launcher.write("stdout", b"never arrived\n")
    began = time.monotonic()
    record = succeed(sidecar, launcher)

    assert 10 > time.monotonic() - began
    assert "success" == record.state
    local = sidecar.log_path.read_bytes().splitlines(keepends=True)
    # The last line is what says it.
    assert len(b"".join(local[:-1])) - len(s3.content()) == record.log_missing
    assert f"{record.log_missing} bytes of this log are not in its store" in told(sidecar)


def test_a_pod_that_is_being_stopped_waits_for_its_log_less_long(s3, launch):
    sidecar, launcher = launch(**s3.settings(final_seconds=60))
    s3.stop()
    launcher.write("stdout", b"the last words\n")
    launcher.say("signalled", signal=signal.SIGTERM)
    launcher.hear("ack")
    began = time.monotonic()
    launcher.exit(143)

    assert 10 > time.monotonic() - began
    assert sidecar.end().log_missing


def test_wrong_credentials_are_said_in_the_log_and_do_not_fail_the_task_and_right_ones_are_taken_up(s3, launch):
    s3.give("not-the-secret")
    sidecar, launcher = launch(**s3.settings())
    until(lambda: "the log store refuses this log: 403 Forbidden, SignatureDoesNotMatch" in told(sidecar))
    assert "not-the-secret" not in sidecar.log_path.read_text()
    s3.give("a-secret-of-the-store")
    until(lambda: "the log store takes this log again" in told(sidecar), 45)
    assert "success" == succeed(sidecar, launcher).state


def test_a_bucket_that_does_not_exist_is_said(s3, launch):
    sidecar, launcher = launch(**s3.settings(store="s3://nobodys", final_seconds=1))
    until(lambda: "the log store refuses this log: 404 Not Found, NoSuchBucket" in told(sidecar))
    record = succeed(sidecar, launcher)

    assert ("success", True) == (record.state, record.log_missing > 0)


def test_an_older_launch_that_flushes_late_overwrites_nothing_of_the_newer(s3, launch):
    old, old_launcher = launch(**s3.settings(chunk_seconds=3600))
    new, new_launcher = launch(**s3.settings())
    old_launcher.write("stdout", b"old, unsent\n")
    new_launcher.write("stdout", b"new\n")
    until(lambda: "new" in s3.printed())
    old_launcher.exit(1)
    old.end()
    new_launcher.write("stdout", b"newer\n")
    succeed(new, new_launcher)

    assert [LOG] == s3.names()
    assert {"old, unsent", "new", "newer"} == set(s3.printed())
    assert 3 == len(s3.printed())


def test_secrets_are_masked_in_the_store_as_in_what_is_printed(s3, launch, api):
    sidecar, launcher = launch(**s3.settings())
    launcher.ask({"type": "MaskSecret", "value": SECRET})
    launcher.write("stdout", f"the password is {SECRET}\n".encode())
    launcher.write("log", json.dumps({"event": "it is", "level": "info", "logger": "x", "p": SECRET}).encode() + b"\n")
    succeed(sidecar, launcher)

    assert "the password is ***" in s3.printed()
    assert SECRET.encode() not in s3.content()
    assert SECRET not in sidecar.log_path.read_text()


def test_a_dag_file_that_is_read_leaves_nothing_in_the_store(s3, make_sidecar, make_launcher):
    from airlock_wire.protocol.messages import DagFileParseRequest
    from airlock_wire.workload import Parse

    request = DagFileParseRequest(file="/dags/f.py", bundle_path="/dags", bundle_name="b", callback_requests=[])
    sidecar = make_sidecar(Parse(request=request, log_path="parse/f.log", timeout_seconds=30), **s3.settings()).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    launcher.write("stdout", b"hello\n")
    launcher.exit(0)
    sidecar.end()

    assert [] == s3.names()
    assert b"hello" in sidecar.log_path.read_bytes()


def test_memory_stays_bounded_and_so_does_the_disk_with_a_log_of_200_mb(s3, launch):
    sidecar, launcher = launch(**s3.settings(local_mib=32, chunk_seconds=2))
    piece = b"".join(b"%06d " % n + b"y" * 1000 + b"\n" for n in range(1000))
    for _ in range(200):
        launcher.write("stdout", piece)
    until(lambda: len(s3.names()) > 20, 60)
    kept = sidecar.log_path.stat().st_blocks * 512
    status = Path(f"/proc/{sidecar.process.pid}/status").read_text()
    most = int(status.split("VmHWM:")[1].split()[0]) / 1024
    record = succeed(sidecar, launcher)

    assert 0 == record.log_missing
    assert 200_000 == len(s3.printed())
    assert 128 > most
    assert 48 * 1048576 > kept


def test_a_store_that_refuses_costs_the_oldest_lines_of_a_log_that_is_too_long_and_says_so(s3, launch):
    s3.give("not-the-secret")
    sidecar, launcher = launch(**s3.settings(segment_mib=1, local_mib=4, final_seconds=40))
    until(lambda: "the log store refuses" in told(sidecar))
    piece = b"".join(b"%06d " % n + b"z" * 1000 + b"\n" for n in range(1000))
    for _ in range(12):
        launcher.write("stdout", piece)
    s3.give("a-secret-of-the-store")
    launcher.write("stdout", b"the last\n")
    record = succeed(sidecar, launcher)

    assert "the last" == s3.printed()[-1]
    assert record.log_missing > 4 * 1048576
    assert any("bytes of this log will be missing in its store" in str(line["event"]) for line in s3.lines())
    assert len(s3.printed()) < 12_000


def test_a_shared_folder_gets_the_log_of_every_launch(tmp_path, launch):
    for n in range(2):
        sidecar, launcher = launch(logs__store=tmp_path)
        launcher.write("stdout", b"launch %d\n" % n)
        succeed(sidecar, launcher)
        assert not sidecar.log_path.exists()

    lines = [json.loads(line) for line in (tmp_path / LOG).read_bytes().splitlines()]
    assert ["launch 0", "launch 1"] == [line["event"] for line in lines if line["logger"] == "task.stdout"]
    assert [LOG.rpartition("/")[2]] == [path.name for path in (tmp_path / LOG).parent.iterdir()]


def test_a_shared_folder_that_cannot_be_written_is_refused_at_start_by_its_setting(tmp_path, make_sidecar):
    (tmp_path / "file").touch()
    sidecar = make_sidecar(work(log_path=LOG), logs__store=tmp_path / "file").start()

    assert 2 == sidecar.process.wait(10)
    assert "AIRLOCK__LOGS__STORE" in (sidecar.folder / "stderr").read_text()
