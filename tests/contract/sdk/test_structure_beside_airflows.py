"""What a DAG file comes to: tasks, arrows, groups, setups, mapping and options, by Airflow's SDK and by ours."""

import pytest

pytestmark = pytest.mark.slow

#: ``SDK`` and ``STANDARD`` stand for the packages of either side. A snippet makes ``dag``.
BEFORE = """
import datetime as dt
from SDK import (
    DAG, BaseOperator, Label, Param, TaskGroup, TriggerRule, WeightRule, XComArg, chain, chain_linear, cross_downstream,
    dag as dag_of, literal, setup, task, task_group, teardown,
)
from STANDARD.operators.bash import BashOperator
from STANDARD.operators.empty import EmptyOperator
from STANDARD.operators.python import PythonOperator
from STANDARD.operators.latest_only import LatestOnlyOperator
from STANDARD.sensors.python import PythonSensor

OPTIONS = (
    "retries retry_exponential_backoff depends_on_past wait_for_downstream owner queue pool pool_slots priority_weight "
    "do_xcom_push multiple_outputs ignore_first_depends_on_past max_active_tis_per_dag map_index_template "
    "task_display_name email_on_failure doc_md executor"
).split()
TIMES = "retry_delay max_retry_delay execution_timeout start_date end_date".split()

def options(each):
    # A mapped operator of Airflow's does not say these two.
    silent = {"do_xcom_push", "multiple_outputs"} if each.is_mapped else set()
    found = {name: getattr(each, name, None) for name in OPTIONS if name not in silent}
    found |= {name: str(getattr(each, name, None)) for name in TIMES}
    found["params"] = {key: each.params[key] for key in each.params} if hasattr(each, "params") else None
    return found

def node(each):
    return {
        "name": each.operator_name,
        "up": sorted(each.upstream_task_ids),
        "down": sorted(each.downstream_task_ids),
        "rule": str(getattr(each.trigger_rule, "value", each.trigger_rule)),
        "setup": bool(each.is_setup),
        "teardown": bool(each.is_teardown),
        "fails_run": bool(each.on_failure_fail_dagrun),
        "mapped": bool(each.is_mapped),
        "fields": list(each.template_fields),
        "group": each.task_group.group_id if each.task_group else None,
        **options(each),
    }

def group(each):
    return {
        "label": each.label,
        "tooltip": each.tooltip,
        "children": {key: group(child) if hasattr(child, "children") else key for key, child in each.children.items()},
        "up": sorted(map(str, each.upstream_group_ids)),
        "down": sorted(map(str, each.downstream_group_ids)),
        "up_tasks": sorted(map(str, each.upstream_task_ids)),
        "down_tasks": sorted(map(str, each.downstream_task_ids)),
    }

def shape(dag):
    return {
        "tasks": {each.task_id: node(each) for each in dag.tasks},
        "order": [each.task_id for each in dag.topological_sort()],
        "edges": dag.edge_info,
        "group": group(dag.task_group),
        "roots": sorted(each.task_id for each in dag.roots),
        "leaves": sorted(each.task_id for each in dag.leaves),
    }

def e(task_id, **kwargs):
    return EmptyOperator(task_id=task_id, **kwargs)
"""

WITH = "\nwith DAG('d', schedule=None, start_date=dt.datetime(2026, 1, 1)) as dag:\n"

SNIPPETS = {
    # --- arrows ---
    "a chain of arrows": "a, b, c = e('a'), e('b'), e('c')\na >> b >> c",
    "arrows backwards": "a, b = e('a'), e('b')\na << b",
    "arrows with lists": "a, b, c, d = map(e, 'abcd')\na >> [b, c] >> d\n[b, c] << e('z')",
    "labels": "a, b, c = map(e, 'abc')\na >> Label('yes') >> b\na >> Label('no') >> [b, c]",
    "a label between lists": "a, b, c = map(e, 'abc')\n[a, b] >> Label('both') >> c",
    "set_upstream with a label": "a, b = e('a'), e('b')\na.set_downstream(b, edge_modifier=Label('x'))",
    "chain": "chain(*map(e, 'abc'), [e('d'), e('e')], [e('f'), e('g')], e('h'))",
    "chain with labels": "chain(e('a'), [Label('x'), Label('y')], [e('b'), e('c')], e('d'))",
    "chain_linear": "chain_linear([e('a'), e('b')], [e('c'), e('d'), e('f')], e('g'))",
    "cross_downstream": "cross_downstream([e('a'), e('b')], [e('c'), e('d')])",
    "an arrow twice": "a, b = e('a'), e('b')\na >> b\na >> b",
    "a list first": "[e('a'), e('b')] >> e('c')",
    # --- XComs ---
    "a value passed on": "@task\ndef one(): return 1\n@task\ndef two(x, y=None): ...\ntwo(one(), y={'k': [one()]})",
    "an operator's output": "a = PythonOperator(task_id='a', python_callable=print)\n"
    "PythonOperator(task_id='b', python_callable=print, op_args=[a.output, a.output['k']])",
    "a template's XComArg": "a = BashOperator(task_id='a', bash_command='x')\nBashOperator(task_id='b', bash_command=a.output)",
    "arrows of XComArgs": "@task\ndef f(): ...\nx, y = f(), f()\nx >> y >> e('z')",
    "the same task five times": "@task\ndef f(): ...\n[f() for _ in range(5)]",
    "override": "@task(retries=1)\ndef f(): ...\nf.override(task_id='g', retries=3)()\nf()",
    "multiple outputs": "@task\ndef f() -> dict[str, int]: ...\nr = f()\ntask(lambda x: x, )\n@task\ndef g(x): ...\ng(r['a'])",
    # --- groups ---
    "a group": "with TaskGroup('g') as g:\n    e('a') >> e('b')\ne('s') >> g >> e('t')",
    "a group without prefix": "with TaskGroup('g', prefix_group_id=False, tooltip='tip'):\n    e('a')",
    "groups in groups": "with TaskGroup('g') as g:\n    e('a')\n    with TaskGroup('h') as h:\n        e('b') >> e('c')\n    e('d') >> h\ng >> e('z')",
    "a group after a group": "with TaskGroup('g') as g:\n    e('a')\n    e('b')\nwith TaskGroup('h') as h:\n    e('c') >> e('d')\ng >> h",
    "a list of groups": "with TaskGroup('g') as g:\n    e('a')\nwith TaskGroup('h') as h:\n    e('b')\ne('s') >> [g, h] >> e('t')",
    "an empty group": "with TaskGroup('g') as g:\n    pass\ne('s') >> g >> e('t')",
    "a label to a group": "with TaskGroup('g') as g:\n    e('a')\n    e('b')\ne('s') >> Label('in') >> g",
    "a suffix for a group": "for _ in range(3):\n    with TaskGroup('g', add_suffix_on_collision=True):\n        e('a')",
    "a decorated group": "@task_group\ndef g(x):\n    'What it does.'\n    @task\n    def f(y): return y\n    return f(x)\n@task\ndef one(): ...\n@task\ndef last(v): ...\nlast(g(one()))\ng(2)",
    "a decorated group with options": "@task_group(group_id='h', tooltip='t', default_args={'retries': 4})\ndef g():\n    e('a')\n    e('b', retries=1)\ng()\ng.override(group_id='other')()",
    "default args of groups": "with TaskGroup('g', default_args={'retries': 2, 'owner': 'x'}):\n    e('a')\n    with TaskGroup('h', default_args={'retries': 3}):\n        e('b')\n        e('c', retries=5)",
    "a group of a set task_group": "g = TaskGroup('g')\ne('a', task_group=g)\nh = TaskGroup('h', parent_group=g)\ne('b', task_group=h)",
    # --- setups and teardowns ---
    "a setup and a teardown": "s, w, t = e('s').as_setup(), e('w'), e('t')\ns >> w >> t.as_teardown(setups=s)\nw >> e('after')",
    "a teardown as a context": "s, t = e('s'), e('t')\nwith t.as_teardown(setups=s):\n    e('a') >> e('b')\n    e('c')",
    "decorated setup and teardown": "@setup\ndef make(): ...\n@teardown\ndef drop(x): ...\n@task\ndef work(): ...\nm = make()\nwith drop(m):\n    work()",
    "setup of a task": "@setup\n@task(retries=2)\ndef make(): ...\n@teardown(on_failure_fail_dagrun=True)\n@task\ndef drop(): ...\nmake() >> drop()",
    "several setups": "s, u, w, t = map(e, 'suwt')\n[s.as_setup(), u.as_setup()] >> w >> t.as_teardown(setups=[s, u])",
    "setups in a context of several": "s, u, t = e('s').as_setup(), e('u').as_setup(), e('t').as_teardown()\nwith XComArg.__class__ and s >> t:\n    e('w')",
    "a group with a teardown": "with TaskGroup('g') as g:\n    s, w, t = e('s').as_setup(), e('w'), e('t').as_teardown()\n    s >> w >> t\n    s >> t\ng >> e('after')",
    # --- mapping ---
    "a mapped task": "@task\ndef one(): ...\n@task\ndef f(x, y): ...\nf.partial(y=1).expand(x=one())\nf.partial(y=1).expand(x=[1, 2])",
    "a mapped operator": "BashOperator.partial(task_id='b', retries=2, env={'A': '1'}).expand(bash_command=['a', 'b'])",
    "expand_kwargs": "@task\ndef one(): ...\nBashOperator.partial(task_id='b').expand_kwargs(one())\nBashOperator.partial(task_id='c').expand_kwargs([{'bash_command': 'x'}])",
    "map, zip, filter and concat": "@task\ndef one(): ...\n@task\ndef two(): ...\n@task\ndef f(x): ...\nf.expand(x=one().map(str))\nf.expand(x=one().zip(two()))\nf.expand(x=one().concat(two()))",
    "a mapped group": "@task\ndef one(): ...\n@task_group\ndef g(x, y):\n    @task\n    def f(v): ...\n    f(x) >> e('z')\ng.partial(y=2).expand(x=one())",
    "a mapped task in a mapped group": "@task\ndef one(): ...\n@task_group\ndef g(x):\n    @task\n    def f(v): return v\n    f(x)\ng.expand(x=[1, 2])\n@task\ndef last(v): ...\nlast.expand(v=one())",
    "mapped options": "EmptyOperator.partial(task_id='a', trigger_rule='all_done', map_index_template='{{ x }}', max_active_tis_per_dag=2, pool='p').expand_kwargs([{}])",
    "a mapped setup": "@setup\n@task\ndef f(x): ...\nf.expand(x=[1])",
    # --- kinds of tasks ---
    "branches": "@task.branch\ndef b(): ...\nb() >> [e('x'), e('y')] >> e('j', trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)",
    "short circuits and sensors": "@task.short_circuit\ndef s(): ...\n@task.sensor(poke_interval=5, timeout=9, mode='reschedule')\ndef w(): ...\ns() >> w() >> LatestOnlyOperator(task_id='l')",
    "bash and conditions": "@task.bash\ndef b(): ...\n@task.run_if(lambda c: True)\n@task\ndef r(): ...\n@task.skip_if(lambda c: True)\n@task.bash\ndef q(): ...\nb() >> r() >> q()",
    "coroutines": "@task\nasync def f(): ...\nf()",
    "an operator's class": "class Own(BaseOperator):\n    template_fields = ('x',)\n    template_ext = ('.sql',)\n    ui_color = '#fff'\n    def __init__(self, x, **kwargs):\n        super().__init__(**kwargs)\n        self.x = x\n    def execute(self, context): ...\nOwn(task_id='o', x='{{ ds }}', doc_md='# doc')",
    # --- options ---
    "every option": "e('a', retries=3, retry_delay=dt.timedelta(seconds=5), retry_exponential_backoff=2.0, max_retry_delay=dt.timedelta(minutes=1), depends_on_past=True, owner='o', queue='q', pool='p', pool_slots=2, priority_weight=7, weight_rule=WeightRule.ABSOLUTE, execution_timeout=dt.timedelta(hours=1), trigger_rule='one_done', task_display_name='Name', max_active_tis_per_dag=3, do_xcom_push=False, params={'p': 1})",
    "waits for downstream": "e('a', wait_for_downstream=True)",
    "numbers for times": "e('a', retry_delay=30, max_retry_delay=90.5, execution_timeout=dt.timedelta(seconds=3))",
    "dates of a task": "e('a', start_date=dt.datetime(2026, 2, 1), end_date=dt.datetime(2026, 3, 1))",
    "documentation": "@task\ndef f():\n    'First line.\\n\\n    More.'\nf()",
    "an owner's default": "e('a')",
}  # fmt: skip

WHOLE = {
    "default args of a DAG": "with DAG('d', schedule=None, default_args={'retries': 2, 'owner': 'me', 'nonsense': 1, 'retry_delay': dt.timedelta(1), 'params': {'x': 1}}, params={'y': 2}) as dag:\n    e('a')\n    e('b', retries=0, params={'z': 3})\n",
    "a decorated DAG": "@dag_of(schedule=None, default_args={'owner': 'me'})\ndef d(p=3):\n    'About it.'\n    @task\n    def f(x): return x\n    f(p)\ndag = d()\n",
    "tasks with dag=": "dag = DAG('d', schedule=None)\na = EmptyOperator(task_id='a', dag=dag)\nb = EmptyOperator(task_id='b')\na >> b\n",
    "a DAG of its own without with": "dag = DAG('d', schedule=None)\n@dag.task\ndef f(): ...\n@dag.task(retries=9)\ndef g(x): ...\ng(f())\n",
    "a part of a DAG": "with DAG('d', schedule=None) as whole:\n    s, a, b, t = map(e, 'sabt')\n    s.as_setup() >> a >> b\n    a >> t.as_teardown(setups=s)\ndag = whole.partial_subset('b', include_upstream=True, include_downstream=False)\n",
    "a part with what comes after": "with DAG('d', schedule=None) as whole:\n    chain(*map(e, 'abcd'))\n    with TaskGroup('g'):\n        e('x')\ndag = whole.partial_subset(['c'], include_upstream=False, include_downstream=True)\n",
}  # fmt: skip

ERRORS = {
    "a task id twice": "e('a')\ne('a')",
    "a group id twice": "TaskGroup('g')\nTaskGroup('g')",
    "a group named as a task": "e('g')\nTaskGroup('g')",
    "an id with a space": "e('a b')",
    "an id that is too long": "e('a' * 251)",
    "a group id with a dot": "TaskGroup('a.b')",
    "a trigger rule that is not one": "e('a', trigger_rule='sometimes')",
    "an argument that is not one": "e('a', colour='red')",
    "a task without an id": "EmptyOperator()",
    "no slots of a pool": "e('a', pool_slots=0)",
    "a callable that is not one": "PythonOperator(task_id='a', python_callable=3)",
    "nothing to map over": "BashOperator.partial(task_id='b').expand()",
    "a text to map over": "@task\ndef f(x): ...\nf.expand(x='abc')",
    "an argument that the function lacks": "@task\ndef f(x): ...\nf.expand(y=[1])",
    "a mapped option that may not be": "EmptyOperator.partial(task_id='a').expand(task_id=['a', 'b'])",
    "an unknown argument of partial": "EmptyOperator.partial(task_id='a', nonsense=1).expand_kwargs([{}])",
    "a missing argument": "@task\ndef f(x): ...\nf()",
    "chain of lists of two lengths": "chain([e('a'), e('b')], [e('c')])",
    "chain_linear with a label": "chain_linear(e('a'), Label('x'), e('b'))",
    "a teardown of a teardown": "e('a').as_teardown(setups=e('b').as_teardown())",
    "a task that is a setup and a teardown": "e('a').as_setup().as_teardown()",
    "iterating an XComArg": "@task\ndef f(): ...\nlist(f())",
    "the truth of a mapped XComArg's length": "@task\ndef f(): ...\nlen(f())",
    "a setup with another rule after it": "s = e('s').as_setup()\ns >> e('w', trigger_rule='all_done')\ndag.validate_setup_teardown()",
}  # fmt: skip


def imports(code, sdk, standard):
    return BEFORE.replace("SDK", sdk).replace("STANDARD", standard) + code


def cases(snippets, *, whole=False):
    rows = []
    for code in snippets.values():
        text = code if whole else WITH + "".join(f"    {line}\n" for line in code.split("\n"))
        run = f"exec({text!r}, globals()) or shape(dag)"
        rows.append(
            [
                imports("", "airflow.sdk", "airflow.providers.standard"),
                imports("", "airlock.sdk", "airlock.standard"),
                run,
            ]
        )
    return rows


@pytest.fixture(scope="module")
def answers(beside):
    """The answers to all snippets, [theirs, ours] by its name, of one process."""
    names = [*SNIPPETS, *WHOLE, *ERRORS]
    rows = [*cases(SNIPPETS), *cases(WHOLE, whole=True), *cases(ERRORS)]
    return dict(zip(names, beside(cases=rows)["cases"], strict=True))


@pytest.mark.parametrize("name", [*SNIPPETS, *WHOLE])
def test_a_dag_file_comes_to_the_same_structure(answers, name):
    theirs, ours = answers[name]

    assert "value" in theirs, theirs
    assert theirs["value"] == ours.get("value", ours)


@pytest.mark.parametrize("name", ERRORS)
def test_what_airflow_refuses_is_refused_in_words(answers, name):
    theirs, ours = answers[name]

    assert "raises" in theirs, theirs
    assert theirs["raises"] == ours.get("raises"), (theirs, ours)
    assert len(ours["text"]) > 10
