"""The operators, sensors, hooks and decorators of Airflow's standard provider, as ours."""
