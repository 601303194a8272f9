"""
The values that a DAG run's params get: defaults, and over them the run's configuration, held against their schemas.

The only importer of jsonschema, at first use: most params have no schema.
"""

from collections.abc import Mapping
from typing import Any

from airlock_wire.dags.params import SerializedParam


def problem(params: Mapping[str, SerializedParam], conf: Mapping[str, Any]) -> str:
    """Returns why a run with this configuration cannot be made, naming the param and the fix; empty if it can."""
    for name, param in params.items():
        if name not in conf and not param.has_value:
            return f'the param {name!r} has no default, so the run must give it: {{"{name}": ...}}'
        value = conf.get(name, param.value)
        if wrong := _refusal(value, param.schema):
            return f"the param {name!r} cannot be {value!r:.100}: {wrong}"
    return ""


def _refusal(value: Any, schema: dict[str, Any]) -> str:
    """Returns why a schema refuses a value; empty if it does not. User code wrote the schema, so it may be anything."""
    if not schema:
        return ""
    import jsonschema
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator = jsonschema.validators.validator_for(schema)
    # A registry of our own: by default jsonschema fetches whatever address a schema refers to.
    rules = validator(schema, registry=Registry(), format_checker=jsonschema.FormatChecker())
    try:
        validator.check_schema(schema)
        error = jsonschema.exceptions.best_match(rules.iter_errors(value))
    except Unresolvable as e:
        return f"its schema refers to {e.ref!r:.200}, which is not in it"
    except jsonschema.SchemaError as e:
        return f"its schema is not valid: {e.message:.300}"
    except RecursionError:
        return "its schema refers to itself"
    if error is None:
        return ""
    place = f" at {error.json_path}" if error.json_path != "$" else ""
    return f"{error.message:.300}{place}"
