"""One try of one task, from the startup frame to the exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"


def error(kind, **detail):
    return {"type": "ErrorResponse", "error": kind, "detail": detail or None}


def test_hello_greets(sidecar, details):
    sidecar.write((EXAMPLES / "hello.py").read_text(), "hello.py")

    sidecar.start(details("hello.py", "hello", "greet"))

    assert ["SetRenderedFields", "SetXCom", "SucceedTask"] == sidecar.types
    assert [0, 1, 2] == sidecar.ids
    assert "Hello, world! Today is 2026-01-02." == sidecar.asked[1]["value"]
    assert ("greet", "return_value") == (sidecar.asked[1]["task_id"], sidecar.asked[1]["key"])
    assert "greeting world\n" == sidecar.stdout
    assert 0 == sidecar.code


def test_hello_passes_on(sidecar, details):
    sidecar.write((EXAMPLES / "hello.py").read_text(), "hello.py")
    sidecar.answers["GetXCom"] = {"type": "XComResult", "key": "return_value", "value": "Hi!"}
    sidecar.answers["GetVariable"] = {"type": "VariableResult", "key": "hello_mark", "value": ">>>"}

    sidecar.start(details("hello.py", "hello", "pass_on"))

    assert ["GetXCom", "SetRenderedFields", "GetVariable", "SucceedTask"] == sidecar.types
    assert {"op_args": ["Hi!"], "op_kwargs": {}, "templates_dict": None} == sidecar.asked[1]["rendered_fields"]
    (line,) = sidecar.log
    assert "try 1 of pass_on says: >>> Hi!" == line["event"]
    assert ("info", "hello.py") == (line["level"], line["filename"])


def test_a_failure_with_tries_left_asks_for_a_retry(sidecar, task_file, details):
    task_file("raise ValueError('no such luck')")

    sidecar.start(details(should_retry=True))

    last = sidecar.asked[-1]
    assert "RetryTask" == last["type"]
    assert (None, "ValueError: no such luck") == (last["retry_delay_seconds"], last["retry_reason"]), (
        "the delay is known"
    )
    (line,) = sidecar.log
    assert ("error", "task t failed: ValueError: no such luck") == (line["level"], line["event"])
    (raised,) = line["exception"]
    assert ("ValueError", "no such luck") == (raised["exc_type"], raised["exc_value"])
    assert [("f", 6)] == [(frame["name"], frame["lineno"]) for frame in raised["frames"]]
    assert 0 == sidecar.code


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("raise AirlockSkipException('not today')", "skipped"),
        ("raise AirlockFailException('never')", "failed"),
    ],
)
def test_a_task_can_end_itself_whatever_tries_are_left(sidecar, task_file, details, body, state):
    task_file(body)

    sidecar.start(details(should_retry=True))

    assert "TaskState" == sidecar.types[-1]
    assert sidecar.asked[-1]["state"] == state
    assert 0 == sidecar.code


@pytest.mark.parametrize("body", ["raise ValueError(1)", "import sys; sys.exit(3)", "import sys; sys.exit(0)"])
def test_without_tries_left_what_does_not_return_fails(sidecar, task_file, details, body):
    task_file(body)

    sidecar.start(details())

    assert "failed" == sidecar.asked[-1]["state"]
    assert 0 == sidecar.code


def test_a_process_that_ends_itself_reports_nothing(sidecar, task_file, details):
    task_file("import os; os._exit(3)")

    sidecar.start(details())

    assert ["SetRenderedFields"] == sidecar.types
    assert 3 == sidecar.code


def test_ten_megabytes_pass_both_ways_as_xcoms(sidecar, task_file, details):
    big = "x" * 10_000_000
    task_file("return ti.xcom_pull(task_ids='other') + 'y'", parameters="ti")
    sidecar.answers["GetXCom"] = {"type": "XComResult", "key": "return_value", "value": big}

    sidecar.start(details())

    assert sidecar.asked[2]["value"] == big + "y"
    assert "SucceedTask" == sidecar.types[-1]


def test_an_xcom_over_the_frame_limit_fails_here_and_says_how_big_it_is(sidecar, task_file, details):
    task_file("return 'x' * (17 * 2**20)")

    sidecar.start(details())

    assert ["SetRenderedFields", "TaskState"] == sidecar.types
    assert "SetXCom 'return_value' is 17.0 MiB; at most 16 MiB can be sent" in sidecar.log[-1]["event"]


def test_a_return_value_that_is_not_json_fails_with_the_task_the_type_and_the_fix(sidecar, task_file, details):
    task_file("return {'at': [object()]}")

    sidecar.start(details())

    assert ["SetRenderedFields", "TaskState"] == sidecar.types
    assert (
        "task 't' (line 4): its return value cannot be kept: a builtins.object cannot be serialized"
        in sidecar.log[-1]["event"]
    )


def test_a_value_that_json_has_no_form_for_is_kept_in_airflows_form_and_comes_back(sidecar, task_file, details):
    task_file("return {'at': ti.xcom_pull('one')}", parameters="ti")
    form = {"__classname__": "builtins.set", "__version__": 1, "__data__": [1]}
    sidecar.answers["GetXCom"] = {"type": "XComResult", "key": "return_value", "value": form}

    sidecar.start(details())

    assert {"at": form} == next(body["value"] for body in sidecar.asked if body["type"] == "SetXCom")


def test_multiple_outputs_are_pushed_key_by_key(sidecar, task_file, details):
    task_file("return {'a': 1, 'b': None}", options="multiple_outputs=True")

    sidecar.start(details())

    pushed = [(body["key"], body["value"]) for body in sidecar.asked if body["type"] == "SetXCom"]
    assert [("a", 1), ("b", None), ("return_value", {"a": 1, "b": None})] == pushed


def test_xcoms_are_pushed_and_pulled_by_name(sidecar, task_file, details):
    task_file(
        """
        ti.xcom_push("mine", {"a": (1,)})
        return [
            ti.xcom_pull("one"),
            ti.xcom_pull(["one", "gone"], key="k", map_indexes=[0, 1], dag_id="other", include_prior_dates=True),
            ti.xcom_pull("gone", default="d"),
        ]
        """,
        parameters="ti",
    )
    sidecar.answers["GetXCom"] = lambda body: {
        "type": "XComResult",
        "key": body["key"],
        "value": None if body["task_id"] == "gone" else [body["dag_id"], body["map_index"]],
    }

    sidecar.start(details())

    assert {"a": {"__classname__": "builtins.tuple", "__version__": 1, "__data__": [1]}} == sidecar.asked[1]["value"]
    assert [False, True] == [body["include_prior_dates"] for body in sidecar.asked if body["type"] == "GetXCom"][:2]
    returned = next(body["value"] for body in sidecar.asked if body.get("key") == "return_value" and "value" in body)
    assert [["d", None], [["other", 0], ["other", 1], None, None], "d"] == returned


@pytest.mark.parametrize(
    ("body", "options"), [("return None", "retries=0"), ("return 'kept here'", "do_xcom_push=False")]
)
def test_nothing_is_stored_of_none_or_where_storing_is_off(sidecar, task_file, details, body, options):
    task_file(body, options=options)

    sidecar.start(details())

    assert ["SetRenderedFields", "SucceedTask"] == sidecar.types


def test_answers_may_arrive_byte_by_byte(sidecar, task_file, details):
    task_file("return Variable.get('k') + Variable.get('k')")
    sidecar.answers["GetVariable"] = {"type": "VariableResult", "key": "k", "value": "v" * 50}

    sidecar.start(details(), chunk=1)

    assert "v" * 100 == sidecar.asked[3]["value"]
    assert "SucceedTask" == sidecar.types[-1]


def test_templates_and_the_context_reach_the_function(sidecar, task_file, details):
    task_file(
        "return [who, when, templates_dict, get_current_context().ti is ti, context['run_id'], params]",
        parameters="who, when, ti, templates_dict, params, **context",
        arguments="'{{ params.who }}', when=['{{ ds }}', 1]",
        options="templates_dict={'v': '{{ var.value.v }}/{{ var.json.j.k }}/{{ conn.c.host }}'}",
    )
    sidecar.answers["GetVariable"] = lambda body: {
        "type": "VariableResult",
        "key": body["key"],
        "value": {"v": "text", "j": '{"k": 7}'}[body["key"]],
    }
    sidecar.answers["GetConnection"] = {
        "type": "ConnectionResult", "conn_id": "c", "conn_type": "http", "host": "h", "schema": None,
        "login": None, "password": None, "port": None, "extra": None,
    }  # fmt: skip

    sidecar.start(details(conf={"who": "them"}))

    rendered = next(body for body in sidecar.asked if body["type"] == "SetRenderedFields")["rendered_fields"]
    assert {
        "op_args": ["them"],
        "op_kwargs": {"when": ["2026-01-02", 1]},
        "templates_dict": {"v": "text/7/h"},
    } == rendered
    pushed = next(body for body in sidecar.asked if body["type"] == "SetXCom")["value"]
    assert ["them", ["2026-01-02", 1], {"v": "text/7/h"}, True, "r1", {"who": "them"}] == pushed


def test_a_template_with_an_unknown_name_fails_and_names_the_field(sidecar, task_file, details):
    task_file("...", parameters="x", arguments="x='{{ nope }}'")

    sidecar.start(details())

    assert ["TaskState"] == sidecar.types
    assert "task 't': op_kwargs['x']: 'nope' is undefined" in sidecar.log[0]["event"]


def test_a_variable_that_a_template_misses_is_named(sidecar, task_file, details):
    task_file("...", parameters="x", arguments="x='{{ var.value.nope }}'")
    sidecar.answers["GetVariable"] = error("VARIABLE_NOT_FOUND")

    sidecar.start(details())

    assert "VariableNotFound: there is no variable 'nope'" in sidecar.log[0]["event"]


def test_a_denied_variable_raises_with_the_missing_grant_even_where_there_is_a_default(sidecar, task_file, details):
    task_file("Variable.get('k', default='unused')")
    sidecar.answers["GetVariable"] = error("PERMISSION_DENIED", message="DAG 'd' has no grant for variable 'k'")

    sidecar.start(details())

    assert "failed" == sidecar.asked[-1]["state"]
    event = sidecar.log[0]["event"]
    assert "PermissionDenied: Variable.get('k') was denied: DAG 'd' has no grant for variable 'k'" in event


def test_an_answer_in_the_error_slot_is_raised_in_the_task(sidecar, task_file, details):
    task_file(
        """
        try:
            Variable.get("k")
        except AirlockRuntimeError as e:
            return [e.error.error.value, e.error.detail]
        """
    )
    sidecar.answers["GetVariable"] = {"error_slot": error("API_SERVER_ERROR", status_code=500)}

    sidecar.start(details())

    assert ["API_SERVER_ERROR", {"status_code": 500}] == sidecar.asked[2]["value"]


@pytest.mark.parametrize(
    ("rule", "kind", "delay", "reason"),
    [
        (
            "action=RetryAction.RETRY, retry_delay=__import__('datetime').timedelta(seconds=3), reason='again'",
            "RetryTask",
            3,
            "again",
        ),
        ("action=RetryAction.RETRY", "RetryTask", None, "a rule matches OSError"),
        ("action=RetryAction.FAIL, reason='hopeless'", "TaskState", None, None),
    ],
)
def test_a_retry_policy_decides_by_the_exception(sidecar, task_file, details, rule, kind, delay, reason):
    body = "raise OSError('the line is busy')"
    policy = f"ExceptionRetryPolicy(rules=[RetryRule(exception=OSError, {rule})])"
    task_file(body, options=f"retries=2, retry_delay=7, retry_policy={policy}")

    sidecar.start(details(should_retry=True))

    last = sidecar.asked[-1]
    assert (kind, delay) == (last["type"], last.get("retry_delay_seconds"))
    if kind == "RetryTask":
        assert reason == last["retry_reason"]
    else:
        assert "failed" == last["state"]


def test_the_task_instance_gives_the_context_and_renders_again(sidecar, task_file, details):
    body = """
        context = ti.get_template_context()
        assert context['ti'] is ti
        ti.task.templates_dict = {'k': '{{ word }}'}
        ti.render_templates({**context, 'word': 'again'})
        return ti.task.templates_dict['k']
    """
    task_file(body, "ti")

    sidecar.start(details())

    assert "again" == next(each["value"] for each in sidecar.asked if each["type"] == "SetXCom"), sidecar.log


def test_a_missing_task_fails_with_one_line_that_names_a_near_one(sidecar, task_file, details):
    task_file("...")

    sidecar.start(details(task_id="tt", should_retry=True))

    assert ["RetryTask"] == sidecar.types
    assert None is sidecar.asked[0]["retry_delay_seconds"]
    (line,) = sidecar.log
    assert "d.py:3: DAG 'd' has no task 'tt'; did you mean 't'?" == line["event"]
    assert "exception" not in line


def test_an_outcome_that_cannot_be_reported_ends_with_code_one(sidecar, task_file, details):
    task_file("...")
    sidecar.answers["SucceedTask"] = {"error_slot": error("API_SERVER_ERROR", message="no")}

    sidecar.start(details())

    assert 1 == sidecar.code
    assert "the outcome 'success' could not be reported: API_SERVER_ERROR: no" == sidecar.log[-1]["event"]


def test_a_first_message_that_starts_nothing_ends_with_code_one(sidecar):
    sidecar.start({"type": "OKResponse", "ok": True})

    assert 1 == sidecar.code
    assert "OKResponse, which starts nothing" in sidecar.log[0]["event"]


def test_what_is_printed_and_logged_arrives_even_right_before_the_end(sidecar, task_file, details):
    task_file(
        """
        import sys, logging
        print("no newline", end="")
        sys.stderr.write("to stderr")
        logging.getLogger("mine").warning("careful %s", "now", extra={"colour": "red"})
        print("lone surrogate \\udc80")
        """
    )

    sidecar.start(details())

    assert "no newlinelone surrogate \\udc80\n" == sidecar.stdout
    assert "to stderr" == sidecar.stderr
    (line,) = sidecar.log
    assert line.pop("timestamp").endswith("+00:00")
    assert {
        "level": "warning", "event": "careful now", "logger": "mine", "filename": "d.py", "lineno": 9, "colour": "red",
    } == line  # fmt: skip


def test_a_programme_that_the_task_starts_gets_none_of_our_descriptors(sidecar, task_file, details):
    program = "import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd')))"
    task_file(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}], close_fds=False)")

    sidecar.start(details())

    # What this very process would pass on is what the test runner left inheritable.
    own = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, close_fds=False, text=True, check=True
    )
    assert sidecar.stdout == own.stdout


@pytest.mark.parametrize(
    ("undecided", "first_try", "try_number", "last"),
    [
        (["retries"], 1, 2, "RetryTask"),
        (["retries"], 1, 3, "TaskState"),
        (["retries"], 2, 3, "RetryTask"),
        (["retry_delay"], 1, 1, "TaskState"),
    ],
)
def test_the_tasks_own_retries_count_where_the_launch_leaves_them_to_it(
    sidecar, details, undecided, first_try, try_number, last
):
    sidecar.write(
        """
        from airlock.sdk import DAG, task
        with DAG("d"):
            @task(retries=2, retry_delay=7, execution_timeout=9)
            def t():
                raise ValueError("no")
            t()
        """
    )
    body = details(should_retry=False) | {"undecided": undecided, "first_try": first_try}
    body["ti"]["try_number"] = try_number
    sidecar.start(body)

    assert last == sidecar.asked[-1]["type"]
    numbers = {name: value for name, value in sidecar.asked[0]["options"].items() if value is not None}
    assert {"retries": 2, "retry_delay_seconds": 7.0, "execution_timeout_seconds": 9.0} == numbers


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("", {}),
        ("retries=2", {"retries": 2, "retry_delay_seconds": 300.0}),
        ("retry_delay=5", {"retry_delay_seconds": 5.0}),
        (
            "retry_exponential_backoff=True, max_retry_delay=90",
            {"retry_delay_seconds": 300.0, "retry_exponential_backoff": 2.0, "max_retry_delay_seconds": 90.0},
        ),
    ],
)
def test_only_what_the_author_wrote_is_told(sidecar, details, options, told):
    """The SDK's default delay must not make a TaskRun wait that has retries and no delay of its own."""
    sidecar.write(
        f"""
        from airlock.sdk import DAG, task
        with DAG("d"):
            @task({options})
            def t():
                pass
            t()
        """
    )
    sidecar.start(details() | {"undecided": ["retries", "retry_delay"], "first_try": 1})

    assert told == {name: value for name, value in sidecar.asked[0]["options"].items() if value is not None}


def test_a_runner_that_is_not_asked_tells_no_options(sidecar, task_file, details):
    """The frames are Airflow's, byte for byte, where nothing is left to the task."""
    task_file("return None")
    sidecar.start(details())

    assert {"type", "rendered_fields"} == set(sidecar.asked[0])
