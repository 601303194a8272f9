"""Streams become records: lines, cuts, secrets on the edges, and claims that are put right."""

import base64
import html
import json
import shlex
from urllib.parse import quote

import pytest

from airlock_sidecar.logs import lines as loglines
from airlock_sidecar.logs.lines import MAX_LINE_BYTES, from_log, take_lines
from airlock_sidecar.logs.masking import Masker

NONE = Masker()
IDS = {"ti_id": "i", "dag_id": "d"}


@pytest.mark.parametrize(
    ("data", "lines", "taken"),
    [
        (b"", [], 0),
        (b"half", [], 0),
        (b"one\n", ["one"], 4),
        (b"one\ntwo\nhalf", ["one", "two"], 8),
        (b"\n\n", ["", ""], 2),
        (b"carriage\r\n", ["carriage"], 10),
        (b"\xff\xc3\xa9\n", ["\\xffé"], 4),
    ],
)
def test_whole_lines_are_taken(data, lines, taken):
    assert (lines, taken) == take_lines(data, NONE)


@pytest.mark.parametrize("size", [MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES + 17])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_long_line_is_cut_and_nothing_is_lost(size, end):
    data = b"x" * size + end
    lines, taken = take_lines(data, NONE)
    rest = data[taken:].rstrip(b"\n")

    assert size == sum(map(len, lines)) + len(rest)
    assert all(len(line) <= MAX_LINE_BYTES for line in lines)


@pytest.mark.parametrize("offset", range(-25, 3))
def test_a_secret_on_the_edge_of_a_cut_is_masked(offset):
    secret = "hunter2-hunter2-hunter2"
    data = b"x" * (MAX_LINE_BYTES + offset) + secret.encode() + b"y" * MAX_LINE_BYTES + b"\n"
    masker = Masker([secret])
    lines, _ = take_lines(data, masker)
    shown = "".join(map(masker.mask, lines))

    assert "hunter2" not in shown
    assert "***" in shown


def test_a_cut_never_splits_a_character():
    data = b"x" * (MAX_LINE_BYTES - 1) + "é".encode() * 10 + b"\n"
    lines, _ = take_lines(data, NONE)

    assert "x" * (MAX_LINE_BYTES - 1) + "é" * 10 == "".join(lines)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('{"event": "hi", "level": "error", "logger": "mine"}', {"event": "hi", "level": "error", "logger": "mine"}),
        ('{"event": "hi", "level": "root"}', {"level": "info"}),
        ('{"event": "hi", "level": ["error"]}', {"level": "info"}),
        ('{"event": "hi", "logger": "airlock.sidecar.x"}', {"logger": "task.log"}),
        ('{"event": 5, "dag_id": "other", "ti_id": "other"}', {"event": "5", "dag_id": "d", "ti_id": "i"}),
        ('{"event": "hi", "timestamp": 5}', {"timestamp": "now"}),
        ('{"event": "hi", "exception": [1]}', {"error_detail": [1]}),
        ("not json", {"event": "not json", "logger": "task.log", "level": "info"}),
        ("[1]", {"event": "[1]"}),
        ("[" * 5000, {"event": "[" * 5000}),
        ('{"event": {"a": [1]}}', {"event": '{"a":[1]}'}),
        ('{"event": ' + "[" * 900 + "]" * 900 + "}", {"event": "[" * 900 + "]" * 900}),
        ('{"event": ' + "9" * 5000 + "}", {"logger": "task.log"}),
    ],
)
def test_a_record_of_the_log_channel_is_put_right(raw, expected):
    record = from_log(raw, IDS, "now", NONE)

    assert expected == {key: record[key] for key in expected}
    assert IDS.items() <= record.items()


SECRET = "pa\"ss\\wörd's"
SHOWN = [
    str,
    repr,
    json.dumps,
    lambda s: repr({"password": s}),
    lambda s: repr(json.dumps({"p": s})),
    lambda s: json.dumps(json.dumps({"p": s}), ensure_ascii=False),
    lambda s: repr(s.encode()),
    quote,
    shlex.quote,
    html.escape,
    lambda s: base64.b64encode(s.encode()).decode(),
]


@pytest.mark.parametrize("show", SHOWN)
@pytest.mark.parametrize(
    "place",
    [
        lambda text: {"event": text},
        lambda text: {"event": "hi", "extra": {"deep": [text]}},
        lambda text: {
            "event": "hi",
            "exception": [{"exc_value": text, "exc_notes": [text], "frames": [{"name": text}]}],
        },
        lambda text: {"event": {"not": ["a text", text]}},
        lambda text: {"event": "hi", text: 1},
        lambda text: {"event": "hi", "logger": text},
        lambda text: {"event": "hi", "level": text, "timestamp": text},
    ],
)
def test_no_part_of_a_record_shows_a_secret_in_any_spelling(place, show):
    line = json.dumps(place(show(SECRET)))
    record = loglines.encode([from_log(line, IDS, "2026-01-01T00:00:00Z", Masker([SECRET]))]).decode()

    assert [] == [piece for piece in ("wörd", "rd's", "pa\\", "d2", "cGEi") if piece in record]


def test_what_lies_under_a_sensitive_key_of_a_record_is_hidden():
    line = json.dumps(
        {"event": "hi", "api_key": "abc", "more": {"password": [1, {"x": "y"}], "host": "h"}, "token": None}
    )
    record = from_log(line, IDS, "2026-01-01T00:00:00Z", NONE)

    assert ("***", {"password": ["***", {"x": "***"}], "host": "h"}, None) == (
        record["api_key"], record["more"], record["token"],
    )  # fmt: skip


def test_a_secret_that_the_runner_cut_is_not_shown_by_half():
    line = json.dumps({"event": f"x hunter2-hun{loglines.CUT_MARK}99999 bytes, at most 65536 are kept]"})
    record = from_log(line, IDS, "2026-01-01T00:00:00Z", Masker(["hunter2-hunter2"]))

    assert record["event"].startswith("x *** [cut: ")


def test_a_record_that_cannot_be_encoded_is_replaced_by_one_that_says_so():
    lines = loglines.encode([{"event": "\ud800", "level": "info", "logger": "l", "timestamp": "t"}, {"event": "ok"}])

    assert ["a log record could not be kept", "ok"] == [
        json.loads(line)["event"].partition(":")[0] for line in lines.splitlines()
    ]
