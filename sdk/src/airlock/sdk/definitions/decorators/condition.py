"""``@task.run_if`` and ``@task.skip_if``: conditions that are looked at before the task's work."""

from collections.abc import Callable
from typing import Any, TypeAlias

from airlock.sdk.bases.decorator import TaskFunction
from airlock.sdk.exceptions import AirlockSkipException

#: Gets the context; answers whether it is so, or that and why the task is then skipped.
Condition: TypeAlias = Callable[[Any], bool | tuple[bool, str | None]]

_MESSAGE = "Task was skipped due to condition."


def run_if(condition: Condition, skip_message: str | None = None) -> Callable[[TaskFunction], TaskFunction]:
    """Runs the task only if the condition is true; else it is skipped, with the message."""
    return _decorator("run_if", condition, skip_message or _MESSAGE, runs_when=True)


def skip_if(condition: Condition, skip_message: str | None = None) -> Callable[[TaskFunction], TaskFunction]:
    """Skips the task if the condition is true, with the message."""
    return _decorator("skip_if", condition, skip_message or _MESSAGE, runs_when=False)


def _decorator(
    name: str, condition: Condition, message: str, *, runs_when: bool
) -> Callable[[TaskFunction], TaskFunction]:
    def decorate(task: TaskFunction) -> TaskFunction:
        if not isinstance(task, TaskFunction):
            raise TypeError(f"{name} can only be used with task. decorate with @task before @{name}.")
        before = task.kwargs.get("pre_execute")

        def pre_execute(context: Any) -> None:
            if before is not None:
                before(context)
            answer, text = condition(context), message
            if isinstance(answer, tuple):
                answer, own_text = answer
                text = own_text or message
            if bool(answer) is not runs_when:
                raise AirlockSkipException(text)

        task.kwargs["pre_execute"] = pre_execute
        return task

    return decorate
