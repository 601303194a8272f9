"""Airflow's Execution API."""
