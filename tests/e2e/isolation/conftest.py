"""Everything here is asked twice: of our runner with a token by exchange, and of Airflow's with one in a Secret."""

import pytest
from e2e.isolation.ways import OfAirflows, OfOurs


@pytest.fixture(scope="module", params=["ours", pytest.param("airflows", marks=pytest.mark.airflow)])
def isolation(request, hooks):
    if request.param == "airflows":
        return OfAirflows(request.getfixturevalue("airflow"), hooks)
    return OfOurs(request.getfixturevalue("team"), hooks, request.getfixturevalue("system"))
