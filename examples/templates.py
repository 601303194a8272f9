"""Templates and params: arguments that are made when the task starts, from what the run was given."""

from datetime import timedelta

from airlock.sdk import DAG, Param, task
from airlock.standard.operators.bash import BashOperator

with DAG(
    "templates",
    tags=["example"],
    params={
        "city": Param("Utrecht", type="string", minLength=2, description="a run with another type of value is refused"),
        "days": Param(3, type="integer", minimum=1, maximum=30),
    },
    user_defined_macros={"shout": str.upper},
    user_defined_filters={"plus_days": lambda day, count: day + timedelta(days=count)},
    render_template_as_native_obj=True,
):
    weather = BashOperator(
        task_id="weather",
        bash_command='echo "{{ shout(params.city) }} on {{ ds }} $UNIT"',
        env={"UNIT": "celsius"},
        append_env=True,
    )

    @task(templates_dict={"query": "select * from weather where city = '{{ params.city }}'"})
    def query(days, templates_dict):
        """With `render_template_as_native_obj` the number stays a number."""
        return f"{templates_dict['query']} limit {days + 1}"

    @task.bash
    def count(line):
        """What the function returns is the command, and what the command's last line says is the result."""
        return f"printf '%s' {line!r} | wc -c"

    query("{{ params.days }}")
    count(weather.output)
