"""Other interpreters: a task in a Python of its own, with packages of its own, and one that is a command."""

import sys

from airlock.sdk import DAG, task

with DAG("processes", tags=["example"]):

    @task.external_python(python=sys.executable)
    def elsewhere(values):
        """The function's source is run by the other Python: what it needs, it imports itself."""
        import statistics

        return statistics.mean(values)

    @task.virtualenv(requirements=[], system_site_packages=False)
    def apart():
        """With `requirements` the environment is made first, and kept if `venv_cache_path` says where."""
        import sys

        return sys.prefix != sys.base_prefix

    @task.bash(env={"WHO": "a command"})
    def command():
        return 'echo "$WHO"'

    elsewhere([1, 2, 3])
    apart()
    command()
