"""
Every request through our sidecar and through Airflow's own supervisor and client: the same HTTP requests, the same
answers to the runner. The cases are the task-sdk's own table of requests, every sample of ours against 404, 403 and
409, and some against whatever a server or a proxy before it may say. What differs is listed here, each with its reason;
anything else is red.
"""

import fcntl
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pytest
from contract.wire import samples
from doubles.sidecar import TI, work

from airlock_sidecar.lifecycle.reporting import Reporter
from airlock_sidecar.logs.store import LogStore
from airlock_sidecar.requests import answers
from airlock_sidecar.requests.dispatch import Dispatcher
from airlock_sidecar.requests.handlers import Handlers
from airlock_sidecar.requests.trace import Trace
from airlock_sidecar.settings import Logging
from airlock_sidecar.state.journal import Journal
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.upstream.api import Answer
from airlock_sidecar.upstream.calls import Calls
from airlock_sidecar.upstream.heartbeat import Heart
from airlock_sidecar.upstream.lookups_file import LookupsFile
from airlock_wire.protocol import frames, whole
from airlock_wire.workload import Access

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]
DRIVER = Path(__file__).parent / "drivers" / "request_table.py"
TI_ID = "0198a5c2-3a4b-7c5d-8e6f-112233445566"
PACKAGE = "apache-airflow-task-sdk"
TERMINAL = {kind.__name__ for kind in whole.TERMINAL}
FRAMES = {
    name: frames.request(0, message).hex()
    for name, message in samples.CASES
    if type(message).__name__ in samples.FROM_RUNNER and type(message).__name__ != "DagFileParsingResult"
}
ANSWERS = [(status, '{"detail": "no"}') for status in (404, 403, 409)]
#: What else an error's body may be.
ODD_BODIES = (
    '{"detail": {"reason": "not_found", "message": "there is none"}, "more": 1}',
    '{"detail": [{"loc": ["query", "n"], "msg": "not a number", "type": "int_parsing"}]}',
    '{"detail": ["no", "such", "list"]}',
    '{"detail": ""}',
    '{"detail": null}',
    '{"message": "no detail"}',
    '["no object"]',
    '"a text"',
    "null",
    "",
    "<html>not here</html>",
)
ODD_ANSWERS = {
    f"{kind}-full": [(status, body) for status in (401, 403, 404, 409, 410, 422) for body in ODD_BODIES]
    for kind in ("GetVariable", "GetXCom", "GetAssetByName", "TriggerDagRun", "SetRenderedFields", "DeleteXCom")
}

#: Where our requests differ, and why.
REQUESTS_DIFFER = {
    "TaskState": "Airflow sends it when the runner has ended; we send it at once, so that a kill cannot lose it",
    "patch_task_instance_to_deferred": "its class path is none: no triggerer could import it",
    "TriggerDagRun-full": "Airflow drops the partition key; we send it",
}
#: Where our answers differ, and why: by message, or by message and status.
ANSWERS_DIFFER = {
    **{
        f"{name} {status}": "a terminal state that the server refuses has an owner: superseded, or kept for a replay"
        for name in TERMINAL - {"TaskState"}
        for status in (404, 409)
    },
    "CreateHITLDetailPayload": "the server's answer is passed on whole, with what is at its default",
    **{
        f"GetVariable {status} not JSON": "a denial stays one, whoever on the way said it: nothing else is looked for"
        for status in (401, 403)
    },
    "patch_task_instance_to_deferred": "its class path is none, and is refused",
    "ResendLoggingFD": "the descriptor's number is each side's own",
}


@pytest.fixture(scope="session")
def request_table():
    """The task-sdk's own tests, in its source distribution: of the version, and by the hashes, of our lock."""
    lock = (ROOT / "requirements" / "airflow.txt").read_text()
    start = lock.index(f"{PACKAGE}==")
    pinned = lock[start:].split("\n")
    lines = [pinned[0], *[line for line in pinned[1:10] if line.startswith("    --hash")][:2]]
    name = lines[0].split()[0].replace("==", "-")
    folder = ROOT / ".venvs" / "airflow-sources" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        # Another run of the tests may be about to fill the same folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _unpack(folder, lines)
    return folder / "tests" / "task_sdk" / "execution_time" / "test_supervisor.py"


def _unpack(folder, lines):
    """The source distribution of these lines of the lock, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as half:
        (Path(half) / "wanted.txt").write_text("\n".join(lines) + "\n")
        pip = [ROOT / ".venvs/uv/bin/python", "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        flags = ["--no-deps", "--no-binary=:all:", "--require-hashes", "-d", half, "-r", f"{half}/wanted.txt"]
        subprocess.run([*pip, *flags], check=True, timeout=240)
        archive = next(Path(half).glob("*.tar.gz"))
        subprocess.run(["tar", "xzf", archive, "-C", half, "--strip-components=1"], check=True, timeout=60)
        Path(half).rename(folder)
        Path(half).mkdir()


@pytest.fixture(scope="module")
def theirs(run_driver, request_table):
    given = {"table": str(request_table), "frames": FRAMES, "ti_id": TI_ID}
    given |= {"answers": ANSWERS, "odd_answers": ODD_ANSWERS}
    said = run_driver(DRIVER, json.dumps(given).encode())
    return json.loads(said.splitlines()[-1])


@pytest.fixture(scope="module")
def ours(theirs, tmp_path_factory):
    """What our sidecar made of each case, in their order."""
    store = LogStore(str(tmp_path_factory.mktemp("log")), "log")
    return [through_ours(case, store) for case in theirs]


class Played:
    """The Execution API, with the answers that Airflow's client got."""

    def __init__(self, made):
        self.made, self._answers = [], [call["answer"] for call in made]

    def ask(self, method, path, query, body, timeout):
        given = self._answers.pop(0) if self._answers else {"status": 204, "body": "", "range": ""}
        self.made.append(request(method, path, query, body or b""))
        return Answer(given["status"], given["body"].encode(), content_range=given["range"] or None)


def request(method, path, query, body):
    """A request in one spelling: defaults of the server's left out, quoting undone."""
    pairs = sorted((name, value) for name, value in query if (name, value) != ("map_index", "-1"))
    value = msgspec.json.decode(body) if body else None
    if path.startswith(("/dag-runs", "/hitlDetails")) or path.endswith("/state"):
        value = {name: inner for name, inner in (value or {}).items() if inner not in (None, {}) and name != "type"}
    return method, unquote(path), pairs, value


def their_request(call):
    split = urlsplit(call["path"].removeprefix("/execution"))
    path = split.path.replace("//", "/")
    return request(call["method"], path, parse_qsl(split.query, keep_blank_values=True), call["body"].encode())


def through_ours(case, store):
    """(requests, [body, error]) of one case."""
    ti = msgspec.structs.replace(TI, id=case["ti_id"])
    state = os.memfd_create("state")
    launch = Launch(work(ti=ti), Journal(state), store)
    api, calls = Played(case["made"]), Calls(1.0)
    calls.provide(api)
    heart = Heart(calls, launch, {"hostname": "h", "pid": 1}, 5.0)
    heart.good()
    reporter = Reporter(launch, calls, heart, threading.Event())
    handlers = Handlers(
        launch,
        calls,
        Access(xcom_writes=None, deferrals=("*",), asset_events=("*",)),
        lambda: os.open(os.devnull, os.O_WRONLY),
        LookupsFile(""),
    )
    exchange = Dispatcher(launch, answers.table(handlers), reporter.report, Trace(Logging()))
    ours, runners = socket.socketpair()
    with ours, runners:
        runners.sendall(bytes.fromhex(case["frame"]))
        runners.shutdown(socket.SHUT_WR)
        exchange.serve(ours, frames.MAX_FRAME_BYTES)
        answer = frames.decode_response(frames.read_payload(runners))
    os.close(state)
    return api.made, [answer.body, answer.error]


def listed(names, differences):
    return any(name in differences for name in names)


def plain(value):
    """A body in JSON's terms, its dates in one spelling, without what is null."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return re.sub(r"(\d\d:\d\d:\d\d)\+00:00$", r"\1Z", value) if isinstance(value, str) else value


def test_the_table_is_the_whole_protocol(theirs):
    named = {case["type"] for case in theirs if "expected" in case}

    assert {
        "GetHITLDetailResponse",
        "UpdateHITLDetail",
    } == {kind for kind in samples.FROM_RUNNER if kind != "DagFileParsingResult"} - named
    assert len([case for case in theirs if "expected" in case]) > 70


def test_our_requests_are_airflows(theirs, ours):
    wrong, used = {}, set()
    for case, (made, _) in zip(theirs, ours, strict=True):
        same = made == [their_request(call) for call in case["made"]]
        names = (case["type"], case["name"].partition(" ")[0])
        if listed(names, REQUESTS_DIFFER):
            used |= {name for name in names if name in REQUESTS_DIFFER and not same}
        elif not same:
            wrong[case["name"]] = (made, [their_request(call) for call in case["made"]])

    assert {} == wrong
    assert set(REQUESTS_DIFFER) == used


def test_our_answers_are_airflows(theirs, ours):
    wrong, used = {}, set()
    for case, (_, said) in zip(theirs, ours, strict=True):
        kind, status = case["type"], case["status"]
        names = (case["name"], kind, f"{kind} {status}", f"{kind} {status}{not_json(case)}")
        expected = case["said"] if by_client(case.get("expected")) else [case["expected"], None]
        mine, airflows = comparable(said), comparable(expected)
        if listed(names, ANSWERS_DIFFER):
            used |= {name for name in names if name in ANSWERS_DIFFER and mine != airflows}
        elif mine != airflows:
            wrong[case["name"]] = (mine, airflows)

    assert {} == wrong
    assert set(ANSWERS_DIFFER) == used


def not_json(case):
    """What is added to the name of a case whose answer no server of the API would give."""
    try:
        json.loads(case["made"][0]["answer"]["body"])
    except (ValueError, IndexError):
        return " not JSON"
    return ""


def by_client(expected):
    """Whether the table leaves it to the client what the answer is, or says it of a client that is played."""
    return expected in (None, "anything") or expected["type"] == "ErrorResponse"


def comparable(said):
    body, error = (plain(msgspec.to_builtins(part)) for part in said)
    if body is not None and body["type"] == "ErrorResponse" and body["error"] == "PERMISSION_DENIED":
        # Airflow tells the status alone; ours says what was denied, and which grant is missing.
        body["detail"] = {key: told for key, told in body["detail"].items() if key not in ("message", "detail")}
    if error is not None:
        detail = error["detail"]
        if detail.get("status_code") in (401, 403):
            # The runner raises whatever is in this slot. Airflow has one word for all of it; ours says it was a denial.
            error["error"] = "PERMISSION_DENIED"
        if detail.get("exception_type") == "ValueError":
            # What is wrong with a message is each side's own words.
            del detail["message"]
        else:
            # Airflow's client says where the server is, which is nothing for user code to know.
            detail["message"] = detail["message"].partition(" for url ")[0]
    return body, error
