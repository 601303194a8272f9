"""The source of a task's function, for a process that runs it elsewhere."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


def source_of(function: Callable[..., Any], decorator: str) -> str:
    """Returns the function's source without the decorator of its task, as ``@task.virtualenv``, and comments."""
    source = textwrap.dedent(inspect.getsource(function))
    name = decorator.removeprefix("@")
    tree = ast.parse(source)
    lines = source.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for each in node.decorator_list:
                call = each.func if isinstance(each, ast.Call) else each
                if _dotted(call) in (name, "setup", "teardown", "task"):
                    for number in range(each.lineno - 1, each.end_lineno or each.lineno):
                        lines[number] = ""
            break
    return "\n".join(line for line in lines if line.strip() and not line.strip().startswith("#")) + "\n"


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""
