"""``@task`` and its variants: ``@task.branch``, ``@task.sensor``, ``@task.bash``, ..."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, overload

from airlock.sdk._names import near
from airlock.sdk.bases.decorator import TaskFunction

if TYPE_CHECKING:
    from airlock.sdk.definitions.decorators.condition import Condition

P = ParamSpec("P")
R = TypeVar("R")

#: Where each variant is: the standard provider's decorators. A module is imported at the first use of its variant.
VARIANTS: Final[Mapping[str, tuple[str, str]]] = {
    "python": ("airlock.standard.decorators.python", "python_task"),
    "virtualenv": ("airlock.standard.decorators.python_virtualenv", "virtualenv_task"),
    "external_python": ("airlock.standard.decorators.external_python", "external_python_task"),
    "branch": ("airlock.standard.decorators.branch_python", "branch_task"),
    "branch_virtualenv": ("airlock.standard.decorators.branch_virtualenv", "branch_virtualenv_task"),
    "branch_external_python": ("airlock.standard.decorators.branch_external_python", "branch_external_python_task"),
    "short_circuit": ("airlock.standard.decorators.short_circuit", "short_circuit_task"),
    "sensor": ("airlock.standard.decorators.sensor", "sensor_task"),
    "bash": ("airlock.standard.decorators.bash", "bash_task"),
    "stub": ("airlock.standard.decorators.stub", "stub"),
}


class TaskDecoratorCollection:
    """
    Makes a function a task: ``@task``, or ``@task(retries=2, retry_delay=timedelta(minutes=1))``.

    The options are those of every operator; times are timedeltas or seconds. ``@task.NAME`` is another kind of task.
    """

    @overload
    def __call__(self, function: Callable[P, R], /) -> TaskFunction: ...
    @overload
    def __call__(self, /, **options: Any) -> Callable[[Callable[..., Any]], TaskFunction]: ...
    def __call__(self, function: Any = None, /, **options: Any) -> Any:
        """Makes a function a task in Python."""
        if "python_callable" in options:
            function = options.pop("python_callable")
        return self.python(function, **options)

    def __getattr__(self, name: str) -> Any:
        """Returns the decorator of this name; AttributeError names near ones."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("run_if", "skip_if"):
            from airlock.sdk.definitions.decorators import condition

            return getattr(condition, name)
        if name not in VARIANTS:
            raise AttributeError(
                f"there is no task decorator @task.{name}; {near(name, [*VARIANTS, 'run_if', 'skip_if'])}. A "
                "provider's own comes with that provider's package"
            )
        module, function = VARIANTS[name]
        decorator = getattr(import_module(module), function)
        # The next use does not come here.
        self.__dict__[name] = decorator
        return decorator

    if TYPE_CHECKING:

        def run_if(self, condition: Condition, skip_message: str | None = None) -> Callable[[Any], Any]:
            """Runs the task only if the condition is true."""

        def skip_if(self, condition: Condition, skip_message: str | None = None) -> Callable[[Any], Any]:
            """Skips the task if the condition is true."""


task: Final = TaskDecoratorCollection()
