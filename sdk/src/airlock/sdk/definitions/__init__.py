"""What a DAG file defines: DAGs, groups, arguments of tasks, assets, parameters. The words are Airflow's."""
