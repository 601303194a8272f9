"""``airlock frames decode``: a captured stream of frames as JSON lines."""

import argparse
import base64
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from airlock_server.cli import CommandError, say
from airlock_wire.protocol.frames import HEADER_BYTES, MAX_FRAME_BYTES

_decode = msgspec.msgpack.Decoder().decode


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "frames",
        help="read captured frames",
        description="Frames are what a runner and its sidecar exchange.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    decode = actions.add_parser(
        "decode",
        help="print a captured stream as JSON lines",
        description="Prints one JSON line for each frame: where it starts, its bytes, and what it says. A frame that "
        "is cut off or makes no sense gets a line that says where. Nothing is masked: a capture can hold secrets.",
        epilog="Exit code 1 if some bytes were not frames.",
    )
    decode.add_argument("file", help="the capture; - reads standard input")
    decode.set_defaults(run=_run)


def _run(args: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    try:
        if args.file == "-":
            return _print(sys.stdin.buffer)
        with Path(args.file).open("rb") as stream:
            return _print(stream)
    except OSError as e:
        raise CommandError(f"{args.file}: {e.strerror}") from e


def _print(stream: IO[bytes]) -> int:
    code = 0
    for line in decode_stream(stream):
        code = 1 if "problem" in line else code
        say(msgspec.json.encode(line, enc_hook=repr).decode())
    return code


def decode_stream(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """
    Yields a map for each frame: ``offset`` of its header, ``bytes`` of its payload, and ``frame``; or a ``problem``.

    After a payload that does not decode the next frame is read. After an impossible length, or an end in the middle,
    the next frame cannot be found, so the stream ends.
    """
    offset = 0
    while header := stream.read(HEADER_BYTES):
        place: dict[str, Any] = {"offset": offset}
        if len(header) < HEADER_BYTES:
            yield place | {"problem": f"the stream ends after {len(header)} of a header's {HEADER_BYTES} bytes"}
            return
        length = int.from_bytes(header, "big")
        place["bytes"] = length
        if length > MAX_FRAME_BYTES:
            yield place | {"problem": f"a length over the limit of {MAX_FRAME_BYTES}: no frame starts here"}
            return
        payload = stream.read(length)
        if len(payload) < length:
            yield place | {"problem": f"the stream ends after {len(payload)} of the frame's {length} bytes"}
            return
        yield place | _content(payload)
        offset += HEADER_BYTES + length


def _content(payload: bytes) -> dict[str, Any]:
    try:
        value = _decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        return {"problem": f"not msgpack: {e}", "payload": base64.b64encode(payload[:64]).decode()}
    try:
        msgspec.json.encode(value, enc_hook=repr)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return {"frame": repr(value), "problem": "the content has no JSON form"}
    if not isinstance(value, list) or not value or not isinstance(value[0], int):
        return {"frame": value, "problem": "no frame: a frame is an array that starts with its id"}
    return {"frame": value}
