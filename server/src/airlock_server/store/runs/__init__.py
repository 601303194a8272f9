"""DAGs and their runs as tasks see and change them: what is known of a DAG, making a run, clearing one."""
