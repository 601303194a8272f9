"""Writes the page of the TaskRun resource from its definition, manifests/crd/taskruns.yaml."""

from collections.abc import Iterator, Mapping
from typing import Any

from reference import markdown
from reference.sources import read_yaml

DEFINITION = "manifests/crd/taskruns.yaml"

HEAD = """\
# TaskRun

This page is written by `make manifests` from `manifests/crd/taskruns.yaml`; a test holds them equal. `kubectl explain
taskrun.spec` shows the same.

A TaskRun is one queued task instance. The operator turns it into a pod whose user code cannot reach a credential of the
platform. `manifests/samples` has a file for each thing that a TaskRun can do.
"""

#: What the page says once of all fields, and a rule says of each.
_UNCHANGING = ("cannot be changed", "cannot be added or removed", "cannot be taken back")
#: Parts of `spec` with a table of their own.
_PARTS = ("access", "source", "bundle", "pod")


def page() -> str:
    """Write the whole page."""
    definition = read_yaml(DEFINITION)["spec"]
    version = definition["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    spec, status = (schema["properties"][name] for name in ("spec", "status"))
    parts = [HEAD, _identity(definition, version), "## spec\n", f"{spec['description']}\n", _fields(spec)]
    parts.append("Rules over several fields:\n")
    parts.append("\n".join(f"- {rule}." for rule in [*_rules(schema), *_rules(spec)]) + "\n")
    for name in _PARTS:
        field = spec["properties"][name]
        fields = _fields(field, levels=1, blank="As in a pod.") if name == "pod" else _fields(field)
        parts += [f"## spec.{name}\n", f"{markdown.prose(field['description'])}\n", fields]
    parts += ["## status\n", "The operator writes it.\n", _fields(status, levels=1)]
    parts += ["## Columns\n", "What `kubectl get taskruns` shows; the wide ones with `-o wide`.\n", _columns(version)]
    selectable = ", ".join(markdown.code(each["jsonPath"][1:]) for each in version["selectableFields"])
    parts.append(f"`kubectl get taskruns --field-selector` can choose by {selectable}.\n")
    return "\n".join(parts)


def _identity(definition: Mapping[str, Any], version: Mapping[str, Any]) -> str:
    names = definition["names"]
    rows = [
        ("apiVersion", markdown.code(f"{definition['group']}/{version['name']}")),
        ("kind", markdown.code(names["kind"])),
        (
            "kubectl's names",
            ", ".join(markdown.code(n) for n in (names["plural"], names["singular"], *names["shortNames"])),
        ),
        ("scope", "a namespace"),
    ]
    return markdown.table(("", ""), rows)


def _fields(schema: Mapping[str, Any], levels: int = 0, blank: str = "") -> str:
    """Write a table of the fields and ``levels`` of those below; ``blank`` stands where nothing describes a field."""
    return markdown.table(("field", "kind", "default", "what it is"), _rows(schema, "", levels, blank))


def _rows(schema: Mapping[str, Any], above: str, levels: int, blank: str) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        default = markdown.value(field["default"]) if "default" in field else "*required*" if name in required else ""
        meaning = field.get("description", blank)
        rules = [*_rules(field), *_rules(field.get("items", {}))]
        meaning += f" Rule{'s' * (len(rules) > 1)}: {'; '.join(rules)}." if rules else ""
        yield markdown.code(above + name), _kind(field), default, markdown.prose(meaning)
        if levels and "description" in field:
            below, mark = (field["items"], "[].") if field.get("type") == "array" else (field, ".")
            yield from _rows(below, above + name + mark, levels - 1, blank)


def _rules(schema: Mapping[str, Any]) -> list[str]:
    """List the rules of a schema that are not about changes."""
    messages = [rule["message"] for rule in schema.get("x-kubernetes-validations", ())]
    return [message for message in messages if not any(words in message for words in _UNCHANGING)]


def _kind(field: Mapping[str, Any]) -> str:
    """Say in words what a field may be, with its bounds."""
    if "enum" in field:
        return " or ".join(markdown.code(str(each)) for each in field["enum"])
    kind = str(field.get("type", "any"))
    if kind == "string":
        most = field.get("maxLength")
        return "time" if field.get("format") == "date-time" else "text" + (f", up to {most} characters" if most else "")
    if kind == "integer":
        least, most = field.get("minimum"), field.get("maximum")
        return "whole number" + (f", {least} to {most}" if most is not None else "")
    if kind == "array":
        most = field.get("maxItems")
        return "list" + (f", up to {most}" if most else "")
    return {"boolean": "`true` or `false`", "object": "map", "number": "number"}.get(kind, kind)


def _columns(version: Mapping[str, Any]) -> str:
    rows = [
        (each["name"], markdown.code(each["jsonPath"][1:]), "wide" if each.get("priority") else "")
        for each in version["additionalPrinterColumns"]
    ]
    return markdown.table(("column", "field", ""), rows)
