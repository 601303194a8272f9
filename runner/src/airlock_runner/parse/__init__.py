"""Parse mode: imports a DAG file, and writes its DAGs as plain data."""
