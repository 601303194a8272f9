"""What an instance of a mapped task gets, and which of its values are never templates."""

from types import SimpleNamespace

import pytest

from airlock.sdk.definitions.mapping.expansion import DictOfListsExpandInput, ListOfDictsExpandInput
from airlock.sdk.definitions.xcom_arg import ResolveMixin

CONTEXT = {"ti": SimpleNamespace(map_index=0)}


class Returned(ResolveMixin):
    """What a task returned."""

    def __init__(self, value):
        self.value = value

    def iter_references(self):
        return iter(())

    def resolve(self, context):
        return self.value


@pytest.mark.parametrize(
    ("expansion", "renders"),
    [
        (DictOfListsExpandInput({"a": ["{{ ds }}"]}), True),
        (DictOfListsExpandInput({"a": Returned(["{{ ds }}"])}), False),
        (ListOfDictsExpandInput([{"a": "{{ ds }}"}]), True),
        (ListOfDictsExpandInput([{"a": Returned("{{ ds }}")}]), False),
        (ListOfDictsExpandInput(Returned([{"a": "{{ ds }}"}])), True),
    ],
)
def test_a_value_is_a_template_unless_the_task_returned_that_value_itself(expansion, renders):
    arguments, resolved = expansion.resolve(CONTEXT)

    assert {"a": "{{ ds }}"} == arguments
    assert renders == (id(arguments["a"]) not in resolved)
