"""What the DAG processor writes: bundles, DAGs with their versions, import errors and warnings."""
