"""Templates in arguments."""

import subprocess
import sys

import pytest

from airlock.sdk import PermissionDenied, literal
from airlock.sdk.definitions.template import Rendering, Templater
from airlock.sdk.exceptions import TemplateError
from airlock_wire.protocol.messages import ErrorResponse


def render(value, context, field):
    return Rendering(Templater(), context, plain_text=True).value(value, field)


CONTEXT = {"ds": "2026-01-02", "params": {"who": "us"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("100 % {sure}", "100 % {sure}"),
        ("{{ ds }}!", "2026-01-02!"),
        ("{% if ds %}yes{% endif %}{# no #}", "yes"),
        ("{{ params.who }}<&>", "us<&>"),
        ("{{ nope | default('x') }}", "x"),
        # As Jinja2 does: one newline at the end goes, also where nothing is rendered.
        ("plain\n", "plain"),
        ("{{ ds }}\n", "2026-01-02"),
        ("a\r\nb", "a\nb"),
        (["{{ ds }}", ("{{ ds }}", {"k": "{{ ds }}"})], ["2026-01-02", ("2026-01-02", {"k": "2026-01-02"})]),
        ({"{{ ds }}": {"{{ ds }}"}}, {"{{ ds }}": {"2026-01-02"}}),
        (literal("{{ ds }}"), "{{ ds }}"),
        (12, 12),
    ],
)
def test_a_template_is_rendered_and_plain_text_stays(text, expected):
    assert expected == render(text, CONTEXT, "field")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ nope }}", "field: 'nope' is undefined; correct the name"),
        ("{{ params.nope }}", "field: 'dict object' has no attribute 'nope'"),
        ("{{ ds", "field: line 1 of the template: "),
        ("a\n{% nope %}", "field: line 2 of the template: "),
        ("{{ 1 / 0 }}", "field: ZeroDivisionError: division by zero"),
    ],
)
def test_a_fault_names_the_field(text, message):
    with pytest.raises(TemplateError) as raised:
        render(text, CONTEXT, "field")

    assert message in str(raised.value)


def test_a_denial_inside_a_template_stays_a_denial():
    def refuse():
        raise PermissionDenied(ErrorResponse())

    with pytest.raises(PermissionDenied):
        render("{{ f() }}", {"f": refuse}, "field")


def test_text_without_a_template_does_not_import_jinja2():
    program = (
        "import sys; from airlock.sdk.definitions.template import Rendering, Templater;"
        "r = Rendering(Templater(), {}, plain_text=True);"
        "r.value('plain { }', ''); assert 'jinja2' not in sys.modules;"
        "r.value('{{ 1 }}', ''); assert 'jinja2' in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
