"""
Calls that are made from the OpenAPI document of the installed Airflow: of each operation a good one, and from that one
call for each thing that can be wrong with its token, its path, its query or its body.
"""

import itertools
import json
from urllib.parse import quote

from contract.difference.calls import JSON, NOBODY, Call
from contract.difference.world import HOST, PID, STARTED, USER

DAY = "2020-01-03T00:00:00Z"
ENDED = {"end_date": "2020-02-02T00:00:00Z"}
UNKNOWN = "11111111-2222-4333-8444-555555555555"

#: A good value for each name in a path.
PATH = {
    "dag_id": "d",
    "run_id": "day1",
    "task_id": "mapped",
    "key": "value",
    "offset": "0",
    "variable_key": "var",
    "connection_id": "db",
}
#: The same where the operation's name matters: what changes something has a thing of its own.
PATH_OF = {
    ("post", "/dag-runs/{dag_id}/{run_id}", "dag_id"): "made",
    ("post", "/dag-runs/{dag_id}/{run_id}", "run_id"): "made-{}",
    ("post", "/dag-runs/{dag_id}/{run_id}/clear", "dag_id"): "made",
    ("post", "/dag-runs/{dag_id}/{run_id}/clear", "run_id"): "new",
    ("put", "/variables/{variable_key}", "variable_key"): "made-{}",
    ("delete", "/variables/{variable_key}", "variable_key"): "made-{}",
    ("post", "/xcoms/{dag_id}/{run_id}/{task_id}/{key}", "key"): "made-{}",
    ("delete", "/xcoms/{dag_id}/{run_id}/{task_id}/{key}", "key"): "made-{}",
}
#: What only a task that declares the asset may call, and the id of such a task.
STORE_OF_ASSETS, DECLARES = "/store/asset/", "publish"
#: A good value for each name in a query.
QUERY = {
    "dag_id": "d",
    "run_id": "day1",
    "run_ids": "day1",
    "logical_date": DAY,
    "logical_dates": "2020-01-01T00:00:00Z",
    "task_ids": "t",
    "task_group_id": "load",
    "states": "success",
    "state": "success",
    "map_index": "-1",
    "name": "asset",
    "uri": "s3://bucket/asset",
    "alias_name": "alias",
    "key": "k",
    "after": DAY,
    "before": DAY,
    "ascending": "true",
    "limit": "10",
    "offset": "0",
    "prefix": "v",
    "start": "0",
    "stop": "2",
    "step": "1",
    "include_prior_dates": "false",
    "dag_result": "true",
    "mapped_length": "2",
}
#: The same where the operation's name matters.
QUERY_OF = {
    ("delete", "/store/asset/by-name/clear", "name"): "cleared",
    ("delete", "/store/asset/by-uri/clear", "uri"): "s3://bucket/cleared",
    ("delete", "/store/asset/by-name/value", "key"): "removed",
    ("delete", "/store/asset/by-uri/value", "key"): "removed",
}
#: A good body for each operation that takes one, or several by the kind of the body.
BODIES = {
    "ti_run": {
        "": {"state": "running", "hostname": HOST, "unixname": USER, "pid": PID, "start_date": STARTED},
    },
    "ti_update_state": {
        "success": {"state": "success", "task_outlets": [], "outlet_events": [], "rendered_map_index": "x", **ENDED},
        "failed": {"state": "failed", "rendered_map_index": None, **ENDED},
        "skipped": {"state": "skipped", **ENDED},
        "removed": {"state": "removed", **ENDED},
        "upstream_failed": {"state": "upstream_failed", **ENDED},
        "up_for_retry": {"state": "up_for_retry", "retry_delay_seconds": 3.5, "retry_reason": "why", **ENDED},
        "deferred": {
            "state": "deferred", "classpath": "a.Trigger", "trigger_kwargs": {"a": 1}, "next_method": "go",
            "next_kwargs": {"b": 2}, "trigger_timeout": "PT60S", "queue": None, "rendered_map_index": None,
        },
        "up_for_reschedule": {"state": "up_for_reschedule", "reschedule_date": DAY, **ENDED},
        "awaiting_input": {
            "state": "awaiting_input", "next_method": "go", "next_kwargs": {}, "timeout": "PT60S",
            "rendered_map_index": None,
        },
    },
    "ti_heartbeat": {"": {"hostname": HOST, "pid": PID}},
    "put_rtif": {"": {"command": "echo", "nested": {"a": [1, None]}}},
    "ti_patch_rendered_map_index": {"": "a name"},
    "ti_skip_downstream": {"": {"tasks": ["never", ["never", 1]]}},
    "trigger_dag_run": {
        "": {
            "logical_date": None, "run_after": DAY, "conf": {"b": 1}, "reset_dag_run": False, "partition_key": None,
            "note": "a note",
        },
    },
    "put_variable": {"": {"val": "text", "description": "what for"}},
    "set_xcom": {"": {"any": ["json", 1, None]}},
    "upsert_hitl_detail": {
        "": {
            "ti_id": None, "options": ["yes", "no"], "subject": "May I?", "body": "b", "defaults": ["no"],
            "multiple": False, "params": {"p": 1}, "assigned_users": [{"id": "1", "name": "ada"}],
        },
    },
    "update_hitl_detail": {"": {"ti_id": None, "chosen_options": ["yes"], "params_input": {"p": 1}}},
    "set_task_state_store": {"": {"value": {"a": 1}, "expires_at": "2999-01-01T00:00:00Z"}},
    "set_asset_state_store_by_name": {"": {"value": {"a": 1}}},
    "set_asset_state_store_by_uri": {"": {"value": {"a": 1}}},
    "patch_connection_test": {
        "success": {"state": "success", "result_message": "well"},
        "failed": {"state": "failed", "result_message": None},
    },
}  # fmt: skip
#: The field by which the body's schemas are told apart.
_WRONG = {
    "string": [5, ["x"]],
    "integer": ["x", 1.5, "5"],
    "number": ["x"],
    "boolean": ["maybe", 2],
    "array": ["x", {}],
    "object": ["x", [1]],
}
#: Bodies that no operation takes as they are.
_ODD = {
    "is not JSON": b'{"a": ',
    "is not UTF-8": b'{"a": "\xff"}',
    "is an array": b"[1]",
    "is a number": b"5",
    "is null": b"null",
}


class Generator:
    """Makes the calls of a document; each call that changes something has things of its own in ``world``."""

    def __init__(self, document, world):
        self._document, self._world = document, world
        self._number = itertools.count()

    def calls(self):
        """Every call, in the order of the document."""
        for path, item in self._document["paths"].items():
            for method, operation in item.items():
                yield from self._of(method, path, operation)

    def _of(self, method, path, operation):
        bodies = BODIES.get(operation["operationId"], {"": None})
        kind = next(iter(bodies))

        def good(name, kind=kind, **more):
            return self._good(method, path, operation, name, bodies[kind], **more)

        for each in bodies:
            yield good(f"good {each}".strip(), kind=each)
        yield from self._tokens(good, path)
        yield from self._ids(good, path)
        yield from self._queries(good, operation)
        for each, body in bodies.items():
            if body is not None:
                yield from self._bodies(good, each, operation, body)

    # --- what may be wrong ---

    def _tokens(self, good, path):
        yield good("without a token", subject=None)
        yield good("with a token that is not one", raw_token="nonsense")
        yield good("with a password", subject=None, headers={"authorization": "Basic YTpi"})
        other = "execution" if "{connection_test_id}" in path else "workload"
        yield good(f"with the scope {other}", scope=other)
        if "_id}" in path and ("{task_instance_id}" in path or "{connection_test_id}" in path):
            yield good("with another's token", subject=NOBODY)

    def _ids(self, good, path):
        for name in ("task_instance_id", "connection_test_id"):
            if f"{{{name}}}" in path:
                yield good("of an unknown id", parts={name: UNKNOWN}, subject=UNKNOWN)
                yield good("of an id that is not a uuid", parts={name: "no-uuid"})
        for name in ("dag_id", "run_id", "task_id", "key", "variable_key", "connection_id"):
            if f"{{{name}}}" in path:
                yield good(f"of an unknown {name}", parts={name: "never"})
                yield good(f"of an odd {name}", parts={name: "ä ö/%?#"})
        if "{offset}" in path:
            for offset in ("-1", "99", "-99", "x", "1.5"):
                yield good(f"of offset {offset}", parts={"offset": offset})

    def _queries(self, good, operation):
        parameters = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
        optional = [each for each in parameters if not each.get("required")]
        for each in optional:
            yield good(f"with the query's {each['name']}", query={each["name"]: [QUERY[each["name"]]]})
        for each in parameters:
            name = each["name"]
            if each.get("required"):
                yield good(f"without the query's {name}", query={name: []})
            yield good(f"with an empty {name} in the query", query={name: [""]})
            for value in _wrong_in_query(each["schema"]):
                yield good(f"with {name} {value!r} in the query", query={name: [value]})
        yield good("with an unknown name in the query", query={"never": ["x"]})

    def _bodies(self, good, kind, operation, body):
        tell = f"body {kind} " if kind else "body "
        yield good(f"{tell}is not there", kind, raw_body=b"")
        yield good(f"{tell}does not say that it is JSON", kind, headers={})
        yield good(f"{tell}says that it is text", kind, headers={"content-type": "text/plain"})
        for what, raw in _ODD.items():
            yield good(f"{tell}{what}", kind, raw_body=raw)
        if not isinstance(body, dict) or operation["operationId"] in ("put_rtif", "set_xcom"):
            return
        yield good(f"{tell}has another key", kind, change={"never": 1})
        for name in body:
            if name == "state" and operation["operationId"] == "ti_update_state":
                continue
            yield good(f"{tell}lacks {name}", kind, drop=name)
            yield good(f"{tell}has null as {name}", kind, change={name: None})
            for value in _wrong(self._schema(operation, kind, name)):
                yield good(f"{tell}has {json.dumps(value)} as {name}", kind, change={name: value})

    # --- one call ---

    def _good(self, method, path, operation, name, body, **more):
        number = next(self._number)
        parts, subject, scope = self._parts(method, path, operation, number)
        if isinstance(body, dict) and "ti_id" in body:
            body = body | {"ti_id": subject}
        if (change := more.pop("change", None)) is not None:
            body = body | change
        if (drop := more.pop("drop", None)) is not None:
            body = {key: value for key, value in body.items() if key != drop}
        raw = more.pop("raw_body", None if body is None else json.dumps(body).encode())
        parts |= more.pop("parts", {})
        filled = path
        for key, value in parts.items():
            filled = filled.replace(f"{{{key}}}", quote(value, safe=""))
        required = {each["name"]: [QUERY_OF.get((method, path, each["name"]), QUERY[each["name"]])] for each in operation.get("parameters", ())
                    if each["in"] == "query" and each.get("required")}  # fmt: skip
        query = required | more.pop("query", {})
        fields = {"subject": subject, "scope": scope, "headers": {} if raw is None else JSON} | more
        return Call(
            name=name,
            operation=f"{method.upper()} {path}",
            method=method.upper(),
            path=filled,
            query=[(key, value) for key, values in query.items() for value in values],
            body=raw,
            **fields,
        )

    def _parts(self, method, path, operation, number):
        """Things of the world for the names in a path, and the subject and the scope of the token."""
        if "{task_instance_id}" in path:
            state = "queued" if operation["operationId"] == "ti_run" else "running"
            ti_id = self._world.instance(state)
            return {"task_instance_id": ti_id, "key": "kept"}, ti_id, "execution"
        if "{connection_test_id}" in path:
            test_id = self._world.connection_test()
            return {"connection_test_id": test_id}, test_id, "workload"
        if path.startswith(STORE_OF_ASSETS):
            return {}, self._world.instance("running", task_id=DECLARES), "execution"
        names = [part.partition("}")[0] for part in path.split("{")[1:]]
        values = {name: PATH_OF.get((method, path, name), PATH[name]).format(number) for name in names}
        return values, NOBODY, "execution"

    def _schema(self, operation, kind, name):
        """The schema of a field of a body."""
        schema = self._resolved(operation["requestBody"]["content"]["application/json"]["schema"])
        for choice in schema.get("oneOf", schema.get("anyOf", [])):
            fields = self._resolved(choice)["properties"]
            states = self._resolved(fields["state"])
            if kind in states.get("enum", [states.get("const"), states.get("default")]):
                schema = self._resolved(choice)
        fields = schema["properties"]
        return self._resolved(fields.get(name, {"type": "string"}))

    def _resolved(self, schema):
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


def _wrong(schema):
    """Values of a wrong kind for a field."""
    kinds = schema.get("oneOf", schema.get("anyOf", [schema]))
    types = {each.get("type") for each in kinds}
    values = [value for kind in types - {None, "null"} for value in _WRONG[kind] if not _fits(value, types)]
    form = {each.get("format") for each in kinds}
    if "date-time" in form:
        values += ["soon", "2020-01-01T00:00:00", "2020-01-01", "2020-01-01T00:00:00+05:00", "1577836800", 1577836800]
    if "duration" in form:
        values += ["soon", "PT-5S", "P1Y"]
    if "uuid" in form:
        values += ["no-uuid"]
    if any("enum" in each or "const" in each or "$ref" in each for each in kinds):
        values += ["never"]
    return values


def _fits(value, types):
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return names[type(value)] in types or None in types


def _wrong_in_query(schema):
    kinds = schema.get("oneOf", schema.get("anyOf", [schema]))
    for each in kinds:
        items = each.get("items", {})
        form, kind = items.get("format", each.get("format")), items.get("type", each.get("type"))
        if form == "date-time":
            yield from ("soon", "2020-01-01T00:00:00", "2020-01-01", "2020-01-03T00:00:00+00:00")
        elif kind == "integer":
            yield from ("x", "1.5", "-7", "0", "99999999999999999999")
        elif kind == "boolean":
            yield from ("maybe", "yes", "0")
        elif "enum" in each or "$ref" in each:
            yield from ("never", "null")
