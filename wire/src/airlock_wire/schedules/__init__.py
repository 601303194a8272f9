"""When the runs of a schedule come: Airflow's rules, for whoever computes them. Pure."""
