"""
Tasks that try, by messages of their own making, to have the platform run something for them. Nothing in their DAGs or
in their TaskRuns grants it.
"""

import os
from datetime import UTC, datetime

from airflow.sdk import DAG, Asset, BaseOperator, task

#: A deferral may name any of these; a real Airflow's triggerer would import and call it, beside its keys.
CALLED = {
    "subprocess.Popen": {"args": ["touch", "/airflow/attacked"]},
    "os.system": {"command": "touch /airflow/attacked"},
    "airflow.utils.module_loading.import_string": {"dotted_path": "os"},
    "airflow.triggers.callback.CallbackTrigger": {"callback_path": "os.system", "callback_kwargs": {"command": "true"}},
}
KEY = {"name": "attacked", "uri": "attack://asset/"}


def ask(body):
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import _RequestFrame

    comms = task_runner.SUPERVISOR_COMMS
    comms.socket.sendall(_RequestFrame(id=next(comms.id_counter), body=body).as_bytes())
    return comms._read_frame()


class Defers(BaseOperator):
    def execute(self, context):
        for classpath, arguments in CALLED.items():
            answer = ask(
                {
                    "type": "DeferTask", "state": "deferred", "classpath": classpath, "trigger_kwargs": arguments,
                    "trigger_timeout": None, "next_method": "resume", "next_kwargs": {}, "queue": None,
                    "rendered_map_index": None,
                }
            )  # fmt: skip
            print("answer:", classpath, answer.error)
        return "went on"


with DAG("attack_deferral"):
    Defers(task_id="defers")

with DAG("attack_asset"):

    @task
    def forges():
        answer = ask(
            {
                "type": "SucceedTask", "state": "success", "end_date": datetime.now(UTC).isoformat(),
                "task_outlets": [KEY | {"type": "Asset"}],
                "outlet_events": [{"dest_asset_key": KEY, "extra": {}}], "rendered_map_index": None,
            }
        )  # fmt: skip
        print("answer:", answer.error)
        os._exit(3)

    forges()

with DAG("attack_victim", schedule=[Asset("attacked", uri="attack://asset/")]):

    @task
    def ran():
        return "the other DAG ran"

    ran()
