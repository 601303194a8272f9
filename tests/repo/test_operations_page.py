"""The page for those who operate Airlock names what the operator logs and traces: no more and no less."""

import re
from pathlib import Path

from airlock_operator.traces import export, spans

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/guides/operations.md").read_text()
STORY = (ROOT / "operator/src/airlock_operator/story.py").read_text()


def first_cells(heading):
    """The code in the first cells of the tables below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [cell for line in section.splitlines() for cell in re.findall(r"^\| `([^`]+)` \|", line)]


def test_every_event_of_the_operators_story_is_on_the_page():
    events = set(re.findall(r'Line\("([^"]+)"', STORY))

    assert len(events) > 5
    assert sorted(events) == sorted(each for each in first_cells("Logs") if each != "event")


def test_every_span_and_value_of_traces_is_on_the_page():
    names = {spans._QUEUED, spans._LAST, "attempt N", *(name for name, _ in spans._STEPS)}
    told = set(first_cells("Traces"))

    assert names == {each for each in told if not each.startswith("traces.")}
    values = re.findall(
        r"^  (\w+):",
        (ROOT / "charts/airlock/values.yaml").read_text().split("\ntraces:\n")[1].split("\n\n")[0],
        re.MULTILINE,
    )
    assert {f"traces.{name}" for name in values} == {each for each in told if each.startswith("traces.")}


def test_the_bounds_of_traces_on_the_page_are_the_operators():
    assert f"Up to {export.MOST_WAITING:,} spans wait" in PAGE
    assert export.WARN_AGAIN_SECONDS == 300
    assert "every five minutes at most" in PAGE
