"""The time, as the API and the log write it."""

import time


def now() -> str:
    """UTC to the microsecond, with a Z, as Airflow's server answers it."""
    seconds = time.time()
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1_000_000):06d}Z"
