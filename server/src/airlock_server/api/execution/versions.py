"""
Chooses the version of the Execution API for a request: the newest that is not newer than the date it names.

Airflow's dates are the names. Only what is listed here is served: a runner refuses an answer of another version's
shape, so a date before the oldest is 404 and not a guess (docs/adr/0029). ``older`` has what the older ones differ in.
"""

import re
from bisect import bisect_right
from datetime import date

from airlock_server.web.errors import InvalidRequest, Problem, Refused

HEADER = b"airflow-api-version"

VERSIONS = ("2025-11-05", "2026-04-06", "2026-06-30")

_DATE = re.compile(rb"\d{4}-\d{2}-\d{2}")


def version_for(header: bytes | None) -> str:
    """Returns the version to serve; raises InvalidRequest for an invalid date, and 404 for one before the oldest."""
    if header is None:
        return VERSIONS[-1]
    text = header.decode("latin-1")
    try:
        if not _DATE.fullmatch(header):
            raise ValueError
        date.fromisoformat(text)
    except ValueError as e:
        where: list[str | int] = ["header", "Airflow-API-Version"]
        problem = Problem("date_from_datetime_parsing", where, "Input should be a date, YYYY-MM-DD", text[:100])
        raise InvalidRequest(problem) from e
    older = bisect_right(VERSIONS, text)
    if older == 0:
        raise Refused(404, "Not Found")
    return VERSIONS[older - 1]
