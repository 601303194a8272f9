"""Reads the files that pages are made from: the repository's root, and YAML and JSON below it."""

import json
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]


def read_text(name: str) -> str:
    """Read the text of a file of the repository."""
    return (ROOT / name).read_text()


def read_yaml(name: str) -> Any:
    """Read the content of a YAML file of the repository."""
    return yaml.safe_load(read_text(name))


def read_json(name: str) -> Any:
    """Read the content of a JSON file of the repository."""
    return json.loads(read_text(name))
