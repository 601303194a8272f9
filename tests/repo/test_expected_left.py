"""The expected value stands on the left of an assert: a reader finds it there, and pytest prints it there."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def is_fixed(node):
    """Whether an expression has the same value in every run: literals, constants by name, values made of these."""
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.isupper() or name == "expected"
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return all(map(is_fixed, parts))
        case ast.Dict(keys=keys, values=values):
            return all(key is None or is_fixed(key) for key in keys) and all(map(is_fixed, values))
        case ast.UnaryOp(operand=operand) | ast.Starred(value=operand):
            return is_fixed(operand)
        case ast.BinOp(left=left, right=right):
            return is_fixed(left) and is_fixed(right)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
            makes_value = name[0].isupper() or name == "approx"
            return makes_value and all(map(is_fixed, [*args, *(keyword.value for keyword in keywords)]))
    return False


def reversed_asserts(tree):
    """The comparisons of asserts whose fixed side is the right one."""
    compared = [node.test for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    return [
        node
        for node in compared
        if isinstance(node, ast.Compare)
        and len(node.ops) == 1
        and isinstance(node.ops[0], ast.Eq | ast.Is)
        and is_fixed(node.comparators[0])
        and not is_fixed(node.left)
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("assert x == 1", [1]),
        ("assert f(x) == [('a', -1)] * 2, 'why'", [1]),
        ("assert x is None", [1]),
        ("assert x == Reason.LOST", [1]),
        ("assert x.run == Key('d', number=LIMIT)", [1]),
        ("assert 1 == x\nassert x == y\nassert x == [y]\nassert 1 == 1\nassert 0 < x < 3\nassert x != 1\nassert x", []),
    ],
)
def test_the_check_finds_a_fixed_value_on_the_right(source, lines):
    assert lines == [node.lineno for node in reversed_asserts(ast.parse(source))]


def test_the_expected_value_is_on_the_left():
    files = sorted(TESTS.rglob("*.py"))
    wrong = [
        f"{file.relative_to(TESTS)}:{node.lineno}"
        for file in files
        for node in reversed_asserts(ast.parse(file.read_bytes()))
    ]

    assert len(files) > 100
    assert [] == wrong
