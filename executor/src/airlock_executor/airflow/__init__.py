"""Meets Airflow: the only folder of the executor that imports it. It runs in the user's own Airflow."""
