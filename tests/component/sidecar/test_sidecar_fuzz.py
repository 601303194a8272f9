"""
Frames that no runner would send, from kept seeds: each gets exactly one answer, in order, and nothing breaks.

A hundred thousand frames here, a million by ``make fuzz``. The exchange is the real one, over a real socket; the
Execution API behind it answers at random, from memory, because what is looked for is in front of it.
"""

import datetime as dt
import os
import random
import socket
import threading
import types
import typing
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from doubles.sidecar import TI, work

from airlock_sidecar import errors
from airlock_sidecar.logs.store import LogStore
from airlock_sidecar.requests import answers
from airlock_sidecar.requests.dispatch import Dispatcher
from airlock_sidecar.requests.handlers import Handlers
from airlock_sidecar.requests.trace import Trace
from airlock_sidecar.settings import Logging
from airlock_sidecar.state.journal import Journal
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.upstream.calls import Calls
from airlock_sidecar.upstream.lookups_file import LookupsFile
from airlock_wire.protocol import frames, messages, whole
from airlock_wire.workload import Access

FRAMES = int(os.environ.get("AIRLOCK_FUZZ_FRAMES", "100000"))
#: Small, so that frames over the cap are cheap enough to be many.
CAP = 32 * 1024

#: Each of them once found something, or covers what the others do not. A new finding adds its seed.
SEEDS = (1, 7, 20, 1303, 65537)

_TEXT = ("", "k", "ключ", "a/b", "..", "\x00", "x" * 300, "é" * 40, "%2F", "😀")


class RandomApi:
    """Answers any request at once, with what a server could answer."""

    def __init__(self, rng):
        self._rng = rng

    def ask(self, method, path, query, body, timeout):
        status = self._rng.choice((200, 200, 200, 204, 401, 403, 404, 409, 410, 422))
        value = {"key": "k", "value": "secret-value", "conn_id": "c", "conn_type": "t", "host": None, "schema": None,
                 "login": None, "password": "hunter2", "port": 1, "extra": '{"token": "abcdef"}'}  # fmt: skip
        data = b"" if status == 204 else msgspec.json.encode(value if status == 200 else {"detail": {"reason": "no"}})
        return SimpleNamespace(
            status=status,
            body=data,
            content_range=self._rng.choice((None, "", "map_indexes 3", "map_indexes x")),
            error=lambda: errors.Denied(403, "no") if status in (401, 403) else _error(status),
        )


def _error(status):
    return {404: errors.NotFound, 409: errors.Conflict, 410: errors.Gone}.get(status, errors.Refused)(status, {})


def value(rng, depth=0):
    kind = rng.randrange(12 if depth < 4 else 6)
    if kind >= 8:
        # What msgpack has and JSON has not.
        return rng.choice(
            (msgspec.msgpack.Ext(5, b"x"), b"\xff", {1: 2}, {None: 1}, {True: 1}, dt.datetime.now(dt.UTC))
        )
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {rng.choice(_TEXT): value(rng, depth + 1) for _ in range(rng.randrange(4))}
    return (
        None,
        True,
        rng.randrange(-(2**63), 2**63),
        rng.random(),
        rng.choice(_TEXT),
        rng.randbytes(3).hex(),
        0,
        0,
        -1,
    )[kind]


KINDS = [*typing.get_args(whole.FromTask), messages.DagFileParsingResult]
#: The ids of the launch, so that what is pinned to them is not always refused.
OWN = {"dag_id": "d", "run_id": "r", "task_id": "t", "ti_id": TI.id}


def message(rng):
    """A message that decodes, of any type, with any content."""
    kind = rng.choice(KINDS)
    given = {}
    for field in msgspec.structs.fields(kind):
        if field.required or rng.randrange(2):
            own = field.name in OWN and rng.randrange(4)
            given[field.name] = OWN[field.name] if own else content(rng, field.type)
    return kind(**given)


def content(rng, type_):
    """A value that a field of this type takes."""
    choices = typing.get_args(type_)
    origin = typing.get_origin(type_)
    if origin is typing.Literal:
        return rng.choice(choices)
    if origin in (typing.Union, types.UnionType):
        return content(rng, rng.choice(choices))
    if origin is list:
        return [content(rng, choices[0]) for _ in range(rng.randrange(3))]
    if origin is dict:
        return {rng.choice(_TEXT): value(rng) for _ in range(rng.randrange(3))}
    return {
        str: lambda: rng.choice(_TEXT),
        int: lambda: rng.choice((-1, 0, 3, 2**40)),
        float: rng.random,
        bool: lambda: rng.random() < 0.5,
        dt.datetime: lambda: dt.datetime.now(dt.UTC),
        types.NoneType: lambda: None,
    }.get(type_, lambda: value(rng))()


def garbled(rng, payload):
    """A valid payload with some of its bytes changed, cut or doubled."""
    data = bytearray(payload)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data)) if data else 0
        match rng.randrange(4):
            case 0:
                data[at : at + 1] = rng.randbytes(1)
            case 1:
                del data[at:]
            case 2:
                data[at:at] = data[: rng.randrange(20)]
            case _:
                data[at : at + rng.randrange(5)] = b""
    return bytes(data[:CAP])


def payload(rng, number):
    valid = frames.request(number, message(rng))[frames.HEADER_BYTES :]
    kind = rng.randrange(20)
    if kind < 12:
        return valid
    if kind < 17:
        return garbled(rng, valid)
    if kind == 17:
        return rng.randbytes(rng.randrange(200))
    if kind == 18:
        return rng.choice((b"\x91", b"\x81\xa1k", b"\xc7\xff")) * rng.randrange(2000) + b"\xc0"
    return bytes(valid[:30]).ljust(CAP + rng.randrange(1, 2000), b"\0")


def decodable(data):
    try:
        whole.decode(bytes(frames.decode_raw_request(data).body))
    except (frames.Undecodable, whole.UnknownMessage):
        return False
    return True


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_frame_gets_exactly_one_answer(seed, tmp_path):
    rng = random.Random(seed)
    launch = Launch(work(), Journal.open(str(tmp_path / "state")), LogStore(str(tmp_path), "log"))
    calls = Calls(1.0)
    calls.provide(RandomApi(random.Random(seed)))
    table = answers.table(Handlers(launch, calls, Access(), lambda: os.open(os.devnull, os.O_WRONLY), LookupsFile("")))
    exchange = Dispatcher(launch, table, lambda *_: rng.random() < 0.5, Trace(Logging()))
    ours, theirs = socket.socketpair()
    crashed = []

    def serve():
        try:
            exchange.serve(theirs, CAP)
        except BaseException as e:
            crashed.append(e)
        theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    ours.settimeout(30)
    count, decoded, last = FRAMES // len(SEEDS), 0, b""
    try:
        for number in range(count):
            last = payload(rng, number)
            decoded += len(last) <= CAP and decodable(last)
            ours.sendall(len(last).to_bytes(4, "big") + last)
            answer = frames.decode_response(frames.read_payload(ours))
            assert answer.body is None or answer.error is None
        # Had any frame been answered twice, its second answer would be here before this one's.
        ours.sendall(frames.request(number + 1, messages.MaskSecret(value="")))
        assert number + 1 == frames.decode_response(frames.read_payload(ours)).id
    except (EOFError, OSError, AssertionError) as e:
        Path(tmp_path, "frame").write_bytes(last)
        raise AssertionError(f"frame {number} of seed {seed}: {last[:200]!r} -> {crashed or e}") from e
    finally:
        ours.close()
        thread.join(30)

    assert [] == crashed
    assert decoded >= count / 2
