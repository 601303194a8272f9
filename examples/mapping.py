"""Mapped tasks: one task instance for each value that a task before it has returned."""

from airlock.sdk import DAG, get_current_context, task, task_group

with DAG("mapping", tags=["example"]):

    @task
    def list_files():
        """How many instances the next tasks have is known when this one has ended."""
        return ["orders.csv", "returns.csv", "stock.csv"]

    @task(map_index_template="{{ path }}")
    def count_rows(path, factor):
        """`path` differs from instance to instance, `factor` is the same for all. The template names each instance."""
        get_current_context()["path"] = path
        return len(path) * factor

    @task
    def total(counts):
        """What mapped instances return arrives as one sequence, in their order, read as it is asked for."""
        return sum(counts)

    @task_group
    def clean(path):
        """A whole group is mapped too: each value has its own `trim` and its own `store`."""

        @task
        def trim(name):
            return name.removesuffix(".csv")

        @task
        def store(name):
            print(f"stored {name}")

        store(trim(path))

    files = list_files()
    total(count_rows.partial(factor=10).expand(path=files))
    clean.expand(path=files.map(str.upper))
