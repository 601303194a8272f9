"""What the other folders stand on: Airflow's words for states and rules, settings, time zones, and plain objects."""
