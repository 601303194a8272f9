"""The guide of the executor says what the executor has: its options, and the rights that its preflight asks for."""

import re
from pathlib import Path

import yaml

from airlock_executor import preflight
from airlock_executor.settings import OPTIONS, Settings
from reference import settings
from reference.documents import blocks

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/airflow-in-ten-minutes.md"


def test_every_option_has_its_comment_and_its_default():
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`)? ?\| (.*) \|$", GUIDE.read_text(), re.MULTILINE)
    plain = {name: field.default for name, field in OPTIONS.items() if isinstance(field.default, str | int)}

    assert [(name, str(plain.get(name, ""))) for name in OPTIONS] == [(name, default) for name, default, _ in rows]
    assert settings.comments(Settings) == {name: text for name, _, text in rows}


def test_the_role_of_the_guide_is_what_the_executor_needs_and_nothing_it_must_not_have():
    texts = [block.text for block in blocks(GUIDE) if block.language == "yaml"]
    objects = [each for text in texts for each in yaml.safe_load_all(text) if each.get("kind") == "Role"]
    (role,) = [each for each in objects if each["metadata"]["name"] == "airlock-executor"]
    rights = {
        (verb, resource + (f".{group}" if group else ""))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }

    assert set(preflight.NEEDED) == rights
    assert set() == rights & set(preflight.FORBIDDEN)
