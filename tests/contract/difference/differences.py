"""
The one table of what our server answers differently from Airflow 3.3.2, and why.

A difference that no row explains fails the test. A row that explains no difference any more fails it too.
"""

from collections.abc import Callable
from typing import NamedTuple

from contract.difference.assets import FRESH, LONG_KEY, LONG_NAME, NO_NUMBERS, UNDECLARED
from contract.difference.calls import Answer, Call
from contract.difference.comparing import normalized, places
from contract.difference.generated import STORE_OF_ASSETS

from airlock_server.api.execution.versions import VERSIONS

Applies = Callable[[Call, Answer, Answer], bool]


class Difference(NamedTuple):
    """A kind of difference: its name, whether it explains one between Airflow's answer and ours, and why it is there."""

    name: str
    applies: Applies
    reason: str


def explained(call, theirs, ours):
    """The name of the first row that explains the difference; None if no row does."""
    return next((row.name for row in TABLE if row.applies(call, theirs, ours)), None)


def _statuses(theirs, ours, *, of, said):
    return (theirs.status, ours.status) == (of, said)


def _words(call, theirs, ours):
    """Only sentences for people differ: the status, the reason and the other fields are the same."""
    return theirs.status == ours.status >= 400 and _wordless(theirs.body) == _wordless(ours.body)


def _wordless(body):
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, str):
        return "a sentence"
    return {k: v for k, v in detail.items() if k != "message"} if isinstance(detail, dict) else body


def _first_fault(call, theirs, ours):
    """Both refuse the body, and what ours names first is among what Airflow's names."""
    if not _statuses(theirs, ours, of=422, said=422):
        return False
    named, first = places(theirs.body), places(ours.body)
    if named is None or first is None:
        return False
    # Airflow names the member of a union of bodies behind "body"; ours chose the one by its state.
    unions = {(place[0], *place[2:]) for place in named if len(place) > 1 and place[0] == "body"}
    return first <= named | unions


def _two_faults(call, theirs, ours):
    """The body is not JSON, and ours has met another fault before it read so far."""
    return call.name.endswith("is not JSON") and _statuses(theirs, ours, of=422, said=422)


def _json_types(call, theirs, ours):
    """A number, a moment or a duration in another type of JSON, which Airflow converts."""
    places_of_ours = places(ours.body) or set()
    converted = (" has 5 as ", ' has "5" as ', ' has "1577836800" as ', " has 1577836800 as ", ' has "P1Y" as ')
    return (
        ours.status == 422
        and theirs.status in (200, 204, 409)
        and any(each in call.name for each in converted)
        and any(place[0] == "body" for place in places_of_ours)
    )


def _beyond_64_bits(call, theirs, ours):
    return ours.status == 422 and "99999999999999999999" in call.name and theirs.status in (200, 400, 500)


def _named(operation, theirs, ours):
    """A row for the answers to one operation."""
    return lambda call, one, other: call.operation == operation and (one.status, other.status) == (theirs, ours)


def _only(operation, *fields):
    """A row for fields of the body of one operation: everything else is the same."""

    def applies(call, theirs, ours):
        same_operation = call.operation in (operation if isinstance(operation, tuple) else (operation,))
        if not same_operation or theirs.status != ours.status or not isinstance(theirs.body, dict | list | str):
            return False
        return _without(normalized(theirs).body, fields) == _without(normalized(ours).body, fields)

    return applies


def _at_rest(answer):
    """The states, in which a restarting task instance is like one that is not running."""
    runs = answer.body.get("task_states", {}) if isinstance(answer.body, dict) else {}
    return {
        run: {task: None if state == "restarting" else state for task, state in tasks.items()}
        for run, tasks in runs.items()
    }


def _too_long(call, theirs, ours):
    """A name has more characters than the column of PostgreSQL."""
    return (
        ours.status == 422
        and any(len(part) > 250 for part in call.path.split("/"))
        and theirs.status in (201, 204, 422)
    )


def _nul(call, theirs, ours):
    return ours.status == 422 and theirs.status < 500 and any("\0" in text for _, text in call.query)


def _too_long_for_an_asset(call, theirs, ours):
    """A key or a name that Airflow keeps: ours refuses it, or has nothing of it."""
    texts = {text for _, text in call.query}
    if LONG_KEY in texts:
        return (theirs.status, ours.status) in ((204, 422), (200, 404))
    return LONG_NAME in texts and _statuses(theirs, ours, of=200, said=200) and {"asset_events": []} == ours.body


def _negative_limit(call, theirs, ours):
    return _statuses(theirs, ours, of=200, said=422) and {("query", "limit")} == places(ours.body)


def _state_of_assets(call, theirs, ours):
    detail = ours.body.get("detail") if isinstance(ours.body, dict) else None
    denied = ours.status == 403 and isinstance(detail, dict) and "access_denied" == detail["reason"]
    return denied and STORE_OF_ASSETS in call.operation and theirs.status in (200, 204, 404)


def _undeclared(call, theirs, ours):
    """What such an outlet has written: nothing."""
    return call.name.startswith(UNDECLARED) and ours.body in ([], {"asset_events": []}) and theirs.status == 200


def _fresh(call, theirs, ours):
    if not call.name.startswith(FRESH):
        return False
    return ours.status == 200 and (theirs.status == 404 or {"asset_events": []} == theirs.body)


def _malformed_events(call, theirs, ours):
    faulty = {place[:2] for place in places(ours.body) or ()}
    return _statuses(theirs, ours, of=204, said=422) and {("body", "outlet_events")} == faulty


def _without(value, fields):
    if isinstance(value, dict):
        return {name: _without(each, fields) for name, each in value.items() if name not in fields}
    return [_without(each, fields) for each in value] if isinstance(value, list) else value


_XCOM = "/xcoms/{dag_id}/{run_id}/{task_id}/{key}"
_STORE = "/store/ti/{task_instance_id}/{key}"
_RUN = "/dag-runs/{dag_id}/{run_id}"

TABLE = (
    Difference(
        "an escaped slash",
        lambda call, theirs, ours: " of an odd " in f" {call.name}" and theirs.status in (200, 404),
        "Ours splits a path before it unescapes it, so an escaped slash stays inside its part. Airflow's routes see it "
        "as a slash, and then look for something else.",
    ),
    Difference(
        "before the oldest version",
        lambda call, theirs, ours: ours.status == 404 and call.headers.get("Airflow-API-Version", "9") < VERSIONS[0],
        "Airflow also serves the versions of Airflow 3.0, which docs/adr/0029 refuses.",
    ),
    Difference(
        "not UTF-8",
        lambda call, theirs, ours: call.name.endswith("is not UTF-8") and _statuses(theirs, ours, of=400, said=422),
        "A body that is not UTF-8 is not valid JSON: ours says so with the status of every other invalid body.",
    ),
    Difference(
        "the first fault",
        _first_fault,
        "Ours reads a body in one pass and names the first fault; Airflow's lists all, for every kind of report.",
    ),
    Difference(
        "two faults", _two_faults, "Ours reads a body in one pass, and meets an unknown key before the broken end."
    ),
    Difference(
        "JSON types",
        _json_types,
        "A number in quotes, a moment as a number and a duration in years are not what Airflow's own client sends; "
        "ours does not guess what they mean.",
    ),
    Difference(
        "beyond 64 bits",
        _beyond_64_bits,
        "A whole number that no database can hold is refused at once. Airflow fails in its database, or ignores it.",
    ),
    Difference(
        "too long a name",
        _too_long,
        "Airflow's columns have the same lengths, but its database here is SQLite, which does not look. Ours refuses what "
        "PostgreSQL could not hold, on both databases.",
    ),
    Difference(
        "no content type",
        _named("PATCH /task-instances/{task_instance_id}/rendered-map-index", 204, 422),
        "Airflow stores the bytes of a body that does not say that it is JSON, with its quotes. Ours refuses it as all "
        "other routes do.",
    ),
    Difference(
        "state that is over",
        _named(f"GET {_STORE}", 200, 404),
        "Ours does not answer with a value after its time. Airflow does until its cleaning has come by.",
    ),
    Difference(
        "a naive moment",
        lambda call, theirs, ours: call.operation == f"PUT {_STORE}" and _statuses(theirs, ours, of=500, said=422),
        "Airflow fails in its database where the time has no zone; ours names the field.",
    ),
    Difference(
        "XComs without a task instance",
        _named(f"POST {_XCOM}", 500, 201),
        "Airflow fails in its database where the task instance does not exist or the length is negative. Ours asks for "
        "the DAG run alone, and by grants for the asking task's own place.",
    ),
    Difference(
        "a question of nobody",
        _named("POST /hitlDetails/{task_instance_id}", 500, 404),
        "Airflow fails in its database where the task instance does not exist.",
    ),
    Difference(
        "an odd partition key",
        lambda call, theirs, ours: call.operation.endswith("/state") and _statuses(theirs, ours, of=500, said=422),
        "Airflow fails over a partition key that is not a text; ours names it.",
    ),
    Difference(
        "malformed outlet events",
        _malformed_events,
        "Airflow takes any list of objects, and calls the task failed, or writes what nobody can read, where an event is not "
        "of the right shape. Ours names the field.",
    ),
    Difference(
        "state of assets",
        _state_of_assets,
        "Airflow opens the state of every asset to every token. Ours opens it to the tasks that declare the asset: "
        "docs/adr/0028.",
    ),
    Difference(
        "undeclared outlets",
        _undeclared,
        "Airflow writes an event for whatever a success claims. Ours does so for the outlets that were declared: "
        "docs/adr/0028.",
    ),
    Difference(
        "new assets of aliases",
        _fresh,
        "An asset that an alias makes is active at once: docs/adr/0028. In Airflow it waits for a DAG that refers to it.",
    ),
    Difference(
        "a negative limit",
        _negative_limit,
        "Airflow hands it to its database: SQLite takes it for no limit, PostgreSQL fails.",
    ),
    Difference(
        "no number",
        lambda call, theirs, ours: call.body in NO_NUMBERS and _statuses(theirs, ours, of=500, said=422),
        "Airflow fails over the error that it wants to answer with, because the number is in it.",
    ),
    Difference(
        "NUL in a query",
        _nul,
        "PostgreSQL cannot hold it. Ours refuses it on both databases; Airflow's database here is SQLite, which can.",
    ),
    Difference(
        "too long for an asset",
        _too_long_for_an_asset,
        "The same of the keys of what is kept for an asset, and of names and URIs that are given to an alias.",
    ),
    Difference(
        "asked anew",
        _only("POST /hitlDetails/{task_instance_id}", "subject"),
        "A question that is asked anew replaces the earlier one; Airflow answers with the earlier one.",
    ),
    Difference(
        "a second run of a logical date",
        lambda call, theirs, ours: call.operation == f"POST {_RUN}" and _statuses(theirs, ours, of=409, said=409),
        "Airflow answers with an error of its database; ours with the reason that clients know, already_exists.",
    ),
    Difference(
        "notes",
        _only((f"GET {_RUN}", "GET /dag-runs/previous", "GET /dag-runs/{dag_id}/previous"), "note"),
        "Airflow does not load a run's note and answers that it has none.",
    ),
    Difference(
        "clearing twice",
        _only((f"GET {_RUN}", "GET /dag-runs/previous"), "note", "clear_number"),
        "A second clear of what is cleared changes nothing in ours. Airflow counts it, and counts a run without task "
        "instances too.",
    ),
    Difference(
        "cleared while it ran",
        lambda call, theirs, ours: (
            call.operation == "GET /task-instances/states" and _at_rest(theirs) == _at_rest(ours)
        ),
        "The same: Airflow's second clear takes a task instance that is restarting for one that is not running.",
    ),
    Difference(
        "no scheduler",
        lambda call, theirs, ours: (
            call.operation == "GET /task-instances/states" and call.name.startswith("new after clear")
        ),
        "Airflow makes a new run's task instances from its DAG. Ours has no scheduler yet, so they come with the TaskRuns.",
    ),
    Difference(
        "operators",
        _only("GET /task-instances/breadcrumbs", "operator"),
        "The class of a task's operator is known from the DAG's file, which ours does not keep.",
    ),
    Difference(
        "a sensor's first start",
        lambda call, theirs, ours: call.operation == "GET /task-reschedules/{task_instance_id}/start_date",
        "Ours tells when the task first started, which a sensor's timeout counts from. Airflow tells when it was first "
        "put aside.",
    ),
    Difference(
        "a variable without a value",
        lambda call, theirs, ours: (
            call.operation == "GET /variables/{variable_key}" and {"key": "written", "value": "None"} == theirs.body
        ),
        "Airflow stores a null as the text None.",
    ),
    Difference(
        "what is pinged",
        lambda call, theirs, ours: call.operation == "GET /health/ping" and theirs.status == ours.status,
        "Each names the services that it depends on.",
    ),
    Difference("words", _words, "Sentences for people are ours; the reason for programs is Airflow's."),
)
