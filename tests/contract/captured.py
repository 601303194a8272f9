"""
Captures of live conversations, held frame by frame against the JSON schema that Airflow ships for their messages.

A capture is what one side kept of one runner's conversation: the frame that starts the runner, then requests and
answers by turns. A sidecar that came back starts over, in the middle of a question.
"""

import collections
import re
import typing
from datetime import datetime

import jsonschema
import msgspec

from airlock_server.cli.frames import decode_stream
from airlock_wire.protocol import messages, whole

STARTS = {"StartupDetails", "DagFileParseRequest"}
#: Airflow has no ClearAllTaskStateStore.
REQUESTS = {kind.__name__ for kind in (*typing.get_args(whole.FromTask), messages.DagFileParsingResult)} - {
    "ClearAllTaskStateStore"
}
ANSWERS = {kind.__name__ for kind in typing.get_args(whole.ToTask)} - STARTS
#: What an answer without a message is counted as, and what one in the error slot is.
EMPTY, RAISED = "nothing", "ErrorResponse, raised"

_formats = jsonschema.FormatChecker(["uuid"])


@_formats.checks("date-time", raises=ValueError)
def _is_a_moment(value):
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_formats.checks("duration")
def _is_a_duration(value):
    return not isinstance(value, str) or re.fullmatch(r"-?P(?=.)(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", value)


class WrongFrame(AssertionError):
    """A frame that Airflow's schema does not know like this: which one, and what is wrong."""


class Schema:
    """Airflow's, and which of its messages were met in how many frames."""

    def __init__(self, schema):
        self._definitions = schema["$defs"]
        self._validators = {}
        self.met = collections.Counter()

    def check(self, capture):
        """Every frame of a capture, in both directions; how many of each kind. Raises WrongFrame."""
        met, asked = collections.Counter(), None
        with open(capture, "rb") as stream:
            for place in decode_stream(stream):
                try:
                    if "problem" in place:
                        raise WrongFrame(place["problem"])
                    asked, kind = self._turn(place["frame"], asked, begun=bool(met))
                except WrongFrame as e:
                    raise WrongFrame(f"{capture} at {place['offset']}: {e}: {str(place.get('frame'))[:2000]}") from e
                met[kind] += 1
        self.met += met
        return met

    def body(self, body, allowed):
        """The type of a message that is one of these and as the schema has it. Raises WrongFrame."""
        kind = body.get("type") if isinstance(body, dict) else None
        if kind not in allowed:
            raise WrongFrame(f"{kind!r} is not a message that may be here")
        if kind not in self._validators:
            wanted = {"$ref": f"#/$defs/{kind}", "$defs": self._definitions}
            self._validators[kind] = jsonschema.Draft202012Validator(wanted, format_checker=_formats)
        wrong = jsonschema.exceptions.best_match(self._validators[kind].iter_errors(msgspec.to_builtins(body)))
        if wrong is not None:
            raise WrongFrame(f"{kind}{wrong.json_path.removeprefix('$')}: {wrong.message[:2000]}")
        return kind

    def _turn(self, frame, asked, *, begun):
        """What is asked after this frame, and the frame's kind; ``asked`` is the id that waits for its answer."""
        body = frame[1] if len(frame) > 1 else None
        if isinstance(body, dict) and body.get("type") in STARTS:
            if _envelope(frame, range(2, 4)) != (0, None):
                raise WrongFrame("a frame that starts a runner has id 0 and no error")
            return None, self.body(body, STARTS)
        if not begun:
            raise WrongFrame("a conversation begins with the frame that starts the runner")
        if asked is None:
            number, carrier = _envelope(frame, range(2, 4))
            texts = carrier is None or (
                isinstance(carrier, dict) and {str} >= {type(t) for p in carrier.items() for t in p}
            )
            if not texts:
                raise WrongFrame("a carrier maps texts to texts")
            return number, self.body(body, REQUESTS)
        number, error = _envelope(frame, range(1, 4))
        if number != asked:
            raise WrongFrame(f"the answer to {asked} has id {number}")
        if error is not None:
            if body is not None:
                raise WrongFrame("a body and an error")
            self.body(error, {"ErrorResponse"})
            return None, RAISED
        return None, EMPTY if body is None else self.body(body, ANSWERS)


def _envelope(frame, lengths):
    """A frame's id and its third element, which may be left out."""
    if len(frame) not in lengths:
        raise WrongFrame(f"a frame of {len(frame)} elements")
    if type(frame[0]) is not int or frame[0] < 0:
        raise WrongFrame("an id is a number from 0")
    return frame[0], frame[2] if len(frame) > 2 else None
