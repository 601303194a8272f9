"""
Runs example DAGs by Airflow's own ``dag.test()``, one after the other in one process, and writes how each of them ended.

Arguments: the logical date, and the file for the answers. Standard input: a JSON list of a bundle's name, its folder
and DAG ids; the configuration has the same bundles. An answer has a run's state and that of each task instance, null
for one that Airflow gave no state. A run that Airflow does not make, because of its params, is "refused".
"""

import json
import sys
from datetime import datetime

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.sdk.exceptions import ParamValidationError

date, answer = sys.argv[1:]
runs = {}
DagBundlesManager().sync_bundles_to_db()
for bundle, folder, dag_ids in json.load(sys.stdin):
    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name=bundle)
    if bag.import_errors:
        sys.exit(str(bag.import_errors))
    # Airflow then knows which bundle a DAG is of, and looks for it in no other.
    sync_bag_to_db(bag, bundle, None)
    for dag_id in dag_ids:
        try:
            run = bag.dags[dag_id].test(logical_date=datetime.fromisoformat(date))
        except ParamValidationError:
            runs[dag_id] = {"state": "refused", "instances": {}}
            continue
        states = {
            ti.task_id if ti.map_index < 0 else f"{ti.task_id}[{ti.map_index}]": ti.state and str(ti.state)
            for ti in run.get_task_instances()
        }
        runs[dag_id] = {"state": str(run.state), "instances": states}
        with open(answer, "w") as output:
            json.dump(runs, output)
