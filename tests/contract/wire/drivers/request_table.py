"""
Runs in Airflow's environment: what Airflow's own supervisor sends and answers for each request of a runner.

Standard input: {"table": the path of the task-sdk's own test_supervisor.py, "frames": {name: one more request, in hex},
"answers": [(status, body)] for each of these, "odd_answers": {name: [(status, body)]} for some, "ti_id"}. Standard
output, for each row of its request table and for each frame and answer: the request's frame, the HTTP requests that the
real client made of it, what each was answered with, and the frame that the runner was answered with. The rows' answers
are the table's; what is asked after a frame's first request is answered with nothing.
"""

import ast
import json
import socket
import sys
import uuid
from unittest import mock

import httpx
import msgspec
from airflow.sdk.api.client import Client
from airflow.sdk.execution_time import comms
from airflow.sdk.execution_time.comms import _RequestFrame
from airflow.sdk.execution_time.supervisor import ActivitySubprocess
from comms import read_request

sys.setrecursionlimit(5000)
NAMES = {"ClientMock", "RequestTestCase", "TI_ID", "REQUEST_TEST_CASES"}
BARE = {"TICount": "count", "DRCount": "count", "TaskRescheduleStartDate": "start_date",
        "PreviousTIResult": "task_instance", "PreviousDagRunResult": "dag_run", "AssetsByAliasResult": "assets",
        "XComSequenceIndexResult": "root", "XComSequenceSliceResult": "root",
        "XComSequenceIndexResponse": "root", "XComSequenceSliceResponse": "root"}  # fmt: skip


def table(path):
    """The rows of the task-sdk's own table, with nothing of its test environment but what the rows are made of."""
    space = {"__name__": "request_table"}
    tree = ast.parse(open(path).read())
    for node in tree.body:
        targets = [getattr(t, "id", "") for t in getattr(node, "targets", [])]
        wanted = isinstance(node, ast.Import | ast.ImportFrom) or {getattr(node, "name", ""), *targets} & NAMES
        if not wanted:
            continue
        try:
            exec(compile(ast.Module([node], []), path, "exec"), space)
        except ImportError:
            continue
    return space["REQUEST_TEST_CASES"], space["TI_ID"]


def answer_of(response):
    """The HTTP answer whose reading by the real client gives what the table says."""
    name = type(response).__name__
    if response is None or name in ("OKResponse", "MagicMock"):
        return {"status": 204, "body": "", "range": ""}
    if name == "ErrorResponse":
        status = 409 if response.error == comms.ErrorType.DAGRUN_ALREADY_EXISTS else 404
        if response.error == comms.ErrorType.PERMISSION_DENIED:
            status = 403
        return {"status": status, "body": '{"detail": "no"}', "range": ""}
    if name == "XComCountResponse":
        return {"status": 200, "body": "", "range": f"map_indexes {response.len}"}
    if not hasattr(response, "model_dump"):
        return {"status": 200, "body": json.dumps(response), "range": ""}
    value = response.model_dump(mode="json", by_alias=True, exclude={"type"})
    value = value[BARE[name]] if name in BARE else value
    return {"status": 200, "body": json.dumps(value), "range": ""}


def converse(ti_id, frame, answers):
    """One request through Airflow's supervisor and client: (requests, the answering frame)."""
    made, left = [], list(answers)

    def serve(request):
        given = left.pop(0) if left else {"status": 204, "body": "", "range": ""}
        made.append({"method": request.method, "path": request.url.raw_path.decode(), "body": request.content.decode(),
                     "answer": given})  # fmt: skip
        headers = {"content-type": "application/json"} | ({"content-range": given["range"]} if given["range"] else {})
        return httpx.Response(given["status"], content=given["body"], headers=headers)

    theirs, ours = socket.socketpair()
    client = Client(base_url="http://api/execution", token="t", transport=httpx.MockTransport(serve))
    process = ActivitySubprocess(
        process_log=mock.MagicMock(), id=ti_id, pid=1, stdin=theirs, client=client, process=mock.Mock()
    )
    requests = process.handle_requests(log=mock.MagicMock())
    next(requests)
    requests.send(msgspec.msgpack.decode(frame[4:], type=_RequestFrame))
    ours.settimeout(5)
    head = ours.recv(4, socket.MSG_WAITALL)
    said = ours.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
    theirs.close()
    ours.close()
    return made, msgspec.msgpack.decode(said)[1:]


def shown(value):
    return msgspec.to_builtins(value, enc_hook=lambda odd: odd.isoformat() if hasattr(odd, "isoformat") else "anything")


given = json.load(sys.stdin)
found = []
cases, table_ti = table(given["table"])
for number, case in enumerate(cases):
    frame = _RequestFrame(id=number, body=case.message.model_dump()).as_bytes()
    answers = [answer_of(case.client_mock.response)] if case.client_mock else []
    made, said = converse(table_ti, frame, answers)
    found.append({"name": case.test_id, "status": None, "ti_id": str(table_ti), "frame": bytes(frame).hex(), "made": made,
                  "said": shown(said), "expected": shown(case.expected_body), "type": type(case.message).__name__})  # fmt: skip
for name, data in given["frames"].items():
    frame = bytes.fromhex(data)
    for status, body in given["answers"] + given["odd_answers"].get(name, []):
        made, said = converse(uuid.UUID(given["ti_id"]), frame, [{"status": status, "body": body, "range": ""}])
        found.append({"name": f"{name} {status} {body[:30]}", "status": status, "ti_id": given["ti_id"], "frame": data,
                      "made": made, "said": shown(said), "type": type(read_request(frame)[1]).__name__})  # fmt: skip
print("\n" + json.dumps(found))
