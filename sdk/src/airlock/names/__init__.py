"""
Airflow's import names, where Airflow is not installed: ``from airflow.sdk import DAG`` gives ours.

``install()`` is enough. It imports nothing, and does nothing where Airflow is installed.
"""

from airlock.names.finder import install

__all__ = ["install"]
