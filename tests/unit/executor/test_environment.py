"""Which variables of a scheduler its tasks get, where bundles are, and what a policy allows."""

import pytest

from airlock_executor import access, bundles, environment
from airlock_wire.taskrun import Access

SENSITIVE = {("core", "fernet_key"), ("api", "secret_key"), ("smtp", "smtp_password"), ("sentry", "sentry_dsn")}


@pytest.mark.parametrize(
    "name",
    ["AIRFLOW__CORE__DEFAULT_TIMEZONE", "AIRFLOW__CORE__EXECUTOR", "AIRFLOW__EMAIL__FROM_EMAIL", "AIRFLOW__LOGGING__LOGGING_LEVEL", "AIRFLOW__SDK__X"],
)  # fmt: skip
def test_a_setting_that_is_not_a_credential_passes(name):
    assert {name: "x"} == environment.passed({name: "x"}, SENSITIVE)


@pytest.mark.parametrize(
    "name",
    [
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__CORE__FERNET_KEY_CMD",
        "AIRFLOW__CORE__FERNET_KEY_SECRET",
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__SALES___SMTP__SMTP_PASSWORD",
        "AIRFLOW__SALES___SMTP__SMTP_PASSWORD_CMD",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD",
        "AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH",
        "AIRFLOW__SECRETS__BACKEND",
        "AIRFLOW__SECRETS__BACKEND_KWARGS_SECRET",
        "AIRFLOW__AIRLOCK__IMAGE",
        "AIRFLOW__SCHEDULER__PARSING_PROCESSES",
        "AIRFLOW__CORE__DAGS_FOLDER",
        "AIRFLOW__EMAIL__ANYTHING_CMD",
        "AIRFLOW__ELASTICSEARCH__SOME_PASSWORD",
        "AIRFLOW__LOGGING__REMOTE_LOGGING",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
        "AIRFLOW_CONN_WAREHOUSE",
        "AIRFLOW_VAR_KEY",
        "airflow__core__fernet_key",
        "HOME",
    ],
)
def test_a_credential_and_what_is_not_a_setting_do_not_pass(name):
    assert {} == environment.passed({name: "x"}, SENSITIVE)


@pytest.mark.parametrize("name", ["AIRFLOW_CONN_WAREHOUSE", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__DATABASE__X"])
def test_a_variable_that_is_withheld_says_why(name):
    assert environment.refusal(name, SENSITIVE)


@pytest.mark.parametrize("name", ["HOME", "MY_TOKEN", "AIRFLOW_HOME"])
def test_a_variable_of_ones_own_is_not_withheld_from_a_pod(name):
    assert None is environment.refusal(name, SENSITIVE)


def test_a_local_bundle_is_where_the_image_has_it():
    local = {"name": "dags-folder", "classpath": bundles.LOCAL, "kwargs": {}}
    other = {"name": "sales", "classpath": bundles.LOCAL, "kwargs": {"path": "/srv/sales"}}
    git = {"name": "git", "classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": {}}

    assert {"dags-folder": "/opt/airflow/dags", "sales": "/srv/sales"} == bundles.folders(
        [local, other, git], "/opt/airflow/dags", {}
    )
    assert "/git" == bundles.folders([git], "/dags", {"git": "/git"})["git"]


POLICY = """
rules:
  - dags: ["sales_*"]
    access: {connections: ["sales_*"], variables: []}
  - tags: [finance]
    access: {xcomReads: ["*"]}
  - dags: ["x"]
    tags: [y]
    access: {triggers: []}
"""


@pytest.mark.parametrize(
    ("dag", "tags", "allowed"),
    [
        ("sales_eu", set(), Access(connections=("sales_*",), variables=())),
        ("sales_eu", {"finance"}, Access(connections=("sales_*",), variables=())),
        ("other", {"finance"}, Access(xcom_reads=("*",))),
        ("x", {"y"}, Access(triggers=())),
        ("x", set(), None),
        ("SALES_EU", set(), None),
    ],
)
def test_the_first_rule_that_fits_counts(dag, tags, allowed):
    found = access.access(access.read(POLICY, "p"), dag, tags)

    assert (allowed is None) == (found is None)
    assert allowed is None or all(getattr(allowed, name) == getattr(found, name) for name in Access.__struct_fields__)


def test_a_default_narrows_what_no_rule_fits():
    policy = access.read("default: {connections: []}", "p")

    assert () == access.access(policy, "any", set()).connections
    assert not policy.asks_for_tags
    assert access.read(POLICY, "p").asks_for_tags


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: [{dags: [a]}]", "missing required field `access`"),
        ("rules: [{dags: [a], access: {connection: []}}]", "unknown field `connection`"),
        ("rule: []", "unknown field `rule`"),
        ("rules: [", "policy file p"),
    ],
)
def test_a_policy_that_is_wrong_is_refused_in_words(text, says):
    with pytest.raises(access.PolicyError) as raised:
        access.read(text, "p")

    assert says in str(raised.value)
