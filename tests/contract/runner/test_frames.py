"""The frames of Airflow's own runner behind our sidecar, as Airflow's schema has them; ``pod`` checks each test's."""

import pytest
from contract.captured import EMPTY

pytestmark = pytest.mark.slow

DAGS = {"outcomes.py": "contract", "surroundings.py": "surroundings"}


@pytest.mark.parametrize(
    ("file", "task_id", "types"),
    [
        ("outcomes.py", "retry", {"RetryTask", EMPTY}),
        ("outcomes.py", "fail", {"TaskState", EMPTY}),
        ("outcomes.py", "defer", {"DeferTask", EMPTY}),
        ("surroundings.py", "prints_a_password", {"GetConnection", "ConnectionResult", "MaskSecret", EMPTY}),
        (
            "surroundings.py",
            "external_python",
            {"ResendLoggingFD", "SentFDs", "GetVariable", "VariableResult", "SetRenderedFields", "SetXCom", "SucceedTask"},
        ),
    ],
)  # fmt: skip
def test_the_main_messages_are_met_and_valid(pod, api, frames_schema, file, task_id, types):
    api.context["should_retry"] = task_id == "retry"
    pod.run(task_id, file=file, dag_id=DAGS[file])
    met = frames_schema.check(pod.capture)

    assert 1 == met["StartupDetails"]
    assert set() == types - met.keys(), met
