"""
Airflow's API server and ours answer the same calls alike, but for what ``differences.TABLE`` lists with its reason.

The calls are made from the OpenAPI document of the installed Airflow and by hand. They go to both, one after the other,
so that what one changes is there for the next.
"""

import collections
import json
import os

import httpx
import pytest
from contract.difference import differences
from contract.difference.calls import send
from contract.difference.comparing import normalized

from reference import execution_api

pytestmark = [pytest.mark.slow(seconds=200), pytest.mark.timeout(900)]

#: A document has fewer operations than this only if it was not read.
OPERATIONS = 55
LEAST = 400
#: The header of a client of an older version.
OLDER = "Airflow-API-Version"


@pytest.fixture(scope="session")
def answers(calls, tokens, theirs, on_sqlite, on_postgresql):
    """For each call: Airflow's answer, and ours by the name of its database."""
    urls = {"Airflow": theirs, "SQLite": on_sqlite, "PostgreSQL": on_postgresql}
    clients = {name: httpx.Client(base_url=url, timeout=60) for name, url in urls.items() if url}
    try:
        rows = []
        for call in calls:
            said = {name: send(client, tokens, call) for name, client in clients.items()}
            rows.append((call, said.pop("Airflow"), said))
        return rows
    finally:
        for client in clients.values():
            client.close()


@pytest.fixture(scope="session")
def differing(answers):
    """The calls that are answered differently, with the row that explains it."""
    rows = []
    for call, their, ours in answers:
        for database, our in ours.items():
            if normalized(their) != normalized(our):
                rows.append((call, their, our, database, differences.explained(call, their, our)))
    return rows


def test_every_difference_is_listed_with_its_reason(answers, differing, capsys):
    unlisted = [row for row in differing if row[-1] is None]
    found = collections.Counter(row[-1] for row in differing)
    with capsys.disabled():
        print(_summary(answers, differing, found))

    assert len(answers) >= LEAST
    assert not unlisted, "\n".join(
        f"{call.title} ({database})\n  Airflow: {their}\n  ours:    {our}" for call, their, our, database, _ in unlisted
    )


def test_every_listed_difference_still_occurs(differing):
    found = {row[-1] for row in differing}

    assert [] == [row.name for row in differences.TABLE if row.name not in found]


def test_our_server_never_fails_where_it_is_asked_the_same(answers):
    failed = [(call.title, our) for call, _, ours in answers for our in ours.values() if our.status >= 500]

    assert [] == failed


def test_both_databases_answer_alike(answers):
    several = [(call.title, {str(normalized(our)) for our in ours.values()}) for call, _, ours in answers]

    assert not (unlike := [(title, different) for title, different in several if len(different) > 1]), unlike


def test_our_server_serves_every_operation_of_airflows_and_one_of_its_own(document):
    all_of_theirs = _operations(document)
    all_of_ours = {execution_api.operation(route) for route in execution_api.NEWEST}

    assert OPERATIONS == len(all_of_theirs)
    assert set() == all_of_theirs - all_of_ours
    assert execution_api.OURS_ALONE.keys() == all_of_ours - all_of_theirs


def test_each_operation_is_called_well_and_badly_on_both_servers(answers, document):
    statuses = collections.defaultdict(set)
    for call, their, ours in answers:
        for who, answer in {"Airflow": their, **ours}.items():
            statuses[call.operation, who].add(answer.status // 100)

    assert set() == _operations(document) - {operation for operation, _ in statuses}
    assert [] == [called for called, kinds in statuses.items() if 2 not in kinds]
    never_badly = {operation for (operation, _), kinds in statuses.items() if 4 not in kinds}
    assert {"GET /health", "GET /health/ping"} == never_badly


def test_the_page_of_the_api_has_the_statuses_that_were_seen(answers):
    seen = {}
    for call, their, ours in answers:
        if OLDER in call.headers:
            continue
        of = seen.setdefault(call.operation, {"airflow": set(), "airlock": set()})
        of["airflow"].add(their.status)
        of["airlock"].update(our.status for our in ours.values())
    measured = {name: {who: sorted(codes) for who, codes in of.items()} for name, of in sorted(seen.items())}
    if os.environ.get("WRITE_STATUSES"):
        rows = (f"  {json.dumps(name)}: {json.dumps(of)}" for name, of in measured.items())
        execution_api.STATUSES.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    written = json.loads(execution_api.STATUSES.read_text())

    assert {} == {name: of for name, of in measured.items() if of != written.get(name)}, (
        "run this test with WRITE_STATUSES=1, then scripts/manifests.sh"
    )
    assert set() == written.keys() - measured.keys()


def _operations(document):
    return {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}


def _summary(answers, differing, found):
    lines = [f"\n{len(answers)} calls, {len({row[0].title for row in differing})} of them answered differently:"]
    lines += [f"  {count:5}  {name or 'NOT LISTED'}" for name, count in found.most_common()]
    return "\n".join(lines)
