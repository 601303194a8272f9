"""Groups, setups and teardowns: tasks that belong together, and what is made before them and removed after."""

from airlock.sdk import DAG, TaskGroup, chain, setup, task, teardown

with DAG("groups", tags=["example"]):

    @setup
    def make_cluster():
        return "cluster-1"

    @teardown
    def remove_cluster(name):
        """Runs whenever the setup has succeeded, and does not decide how the run ends."""
        print(f"removed {name}")

    with TaskGroup("work", tooltip="what needs the cluster"):

        @task
        def extract():
            return [3, 1, 2]

        @task
        def transform(values):
            return sorted(values)

        ordered = transform(extract())

    with TaskGroup("reports", prefix_group_id=False) as reports:
        for audience in ("finance", "sales"):

            @task(task_id=f"report_{audience}")
            def report(values):
                print(f"a report of {len(values)} values")

            report(ordered)

    cluster = make_cluster()
    chain(cluster, ordered.operator, reports, remove_cluster(cluster))
