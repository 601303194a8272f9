"""The decorators of a DAG file: ``@task``, ``@task_group``, ``@setup``, ``@teardown``."""
