"""What our runner says of itself in its hello."""

import pytest

from airlock_runner.__main__ import speaks


@pytest.mark.parametrize("product", ["AIRLOCK", "AIRFLOW"])
def test_a_runner_with_an_xcom_backend_clears_the_xcoms_of_an_earlier_try_itself(product):
    assert {"json_values": True, "clears_xcoms": True} == speaks({f"{product}__CORE__XCOM_BACKEND": "backends.Files"})


@pytest.mark.parametrize("environ", [{}, {"AIRFLOW__CORE__XCOM_BACKEND": ""}])
def test_a_runner_without_one_leaves_them_to_the_server(environ):
    assert {"json_values": True} == speaks(environ)
