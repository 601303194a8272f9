"""
What two answers have to have in common. Moments of this test's own are made one, and so are the numbers of asset events.
Lists of faults are their places.
"""

import re

from contract.difference.calls import Answer
from contract.difference.world import YEAR

_MOMENT = re.compile(r"(\d{4})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


def normalized(answer):
    """An answer as it is compared."""
    return Answer(answer.status, _plain(answer.body, answer.status), answer.renewed)


def places(body):
    """The places of the faults that a 422 lists; None for another body."""
    faults = body.get("detail") if isinstance(body, dict) else None
    if not isinstance(faults, list):
        return None
    return {tuple(fault["loc"]) for fault in faults if "loc" in fault}


def _plain(value, status=0):
    if status == 422 and (locs := places(value)) is not None:
        return {"faults": sorted(locs, key=str)}
    if isinstance(value, dict):
        if "created_dagruns" in value and isinstance(value.get("id"), int):
            # Airflow registers the outlets of one success in the order of a set.
            value = value | {"id": "<a number>"}
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and (match := _MOMENT.fullmatch(value)):
        # A fraction of no seconds is written or left out.
        return "<lately>" if int(match[1]) > YEAR else re.sub(r"\.0+(?=Z)", "", value.replace("+00:00", "Z"))
    return value
