"""A task that runs a command of bash."""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Container, Sequence
from functools import cached_property
from typing import Any

from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.exceptions import AirlockException, AirlockSkipException
from airlock.standard.hooks.subprocess import SubprocessHook


class BashOperator(BaseOperator):
    """
    Runs ``bash_command``, or the script that it names (``.sh`` or ``.bash``, rendered as a template, too).

    Its last line of output becomes the XCom, gone through ``output_processor``. Exit code 0 is success,
    ``skip_on_exit_code`` (99) skips the task, any other fails it. ``env`` replaces the environment, or with
    ``append_env`` is added to it. ``cwd`` is the folder that it runs in; without one a temporary folder.
    """

    template_fields: Collection[str] = ("bash_command", "env", "cwd")
    template_fields_renderers = {"bash_command": "bash", "env": "json"}  # noqa: RUF012 - Airflow's form
    template_ext: Sequence[str] = (".sh", ".bash")
    ui_color = "#f0ede4"

    def __init__(
        self,
        *,
        bash_command: Any,
        env: dict[str, str] | None = None,
        append_env: bool = False,
        output_encoding: str = "utf-8",
        skip_on_exit_code: int | Container[int] | None = 99,
        cwd: str | None = None,
        output_processor: Callable[[str], Any] = lambda result: result,
        **kwargs: Any,
    ) -> None:
        """Takes the options of every task, too."""
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.output_encoding = output_encoding
        self.skip_on_exit_code: Container[int] = _codes(skip_on_exit_code)
        self.cwd = cwd
        self.append_env = append_env
        self.output_processor = output_processor

    @cached_property
    def subprocess_hook(self) -> SubprocessHook:
        """What runs the command."""
        return SubprocessHook()

    def get_env(self, context: Any) -> dict[str, str]:
        """Returns the environment of the command: with who the task is."""
        del context
        own = dict(self.env or {})
        inherited = dict(os.environ) if self.env is None or self.append_env else {}
        identity = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CTX_")}
        return {**inherited, **own, **identity}

    def execute(self, context: Any) -> Any:
        """Runs the command; returns its last line of output. Raises AirlockSkipException or AirlockException."""
        if self.cwd is not None:
            if not os.path.exists(self.cwd):
                raise AirlockException(f"Can not find the cwd: {self.cwd}")
            if not os.path.isdir(self.cwd):
                raise AirlockException(f"The cwd {self.cwd} must be a directory")
        result = self._run(shutil.which("bash") or "bash", self.get_env(context))
        if result.exit_code in self.skip_on_exit_code:
            raise AirlockSkipException(f"Bash command returned exit code {result.exit_code}. Skipping.")
        if result.exit_code != 0:
            raise AirlockException(
                f"Bash command failed. The command returned a non-zero exit code {result.exit_code}."
            )
        return self.output_processor(result.output)

    def _run(self, bash: str, env: dict[str, str]) -> Any:
        hook = self.subprocess_hook
        options: dict[str, Any] = {"env": env, "output_encoding": self.output_encoding}
        if not self._init_kwargs_named_a_script():
            return hook.run_command(command=[bash, "-c", self.bash_command], cwd=self.cwd, **options)
        # The rendered script may be longer than a command line may be.
        with tempfile.TemporaryDirectory(prefix="airlocktmp") as folder:
            cwd = self.cwd or folder
            with tempfile.NamedTemporaryFile("w", dir=cwd, suffix=".sh") as script:
                script.write(self.bash_command)
                script.flush()
                return hook.run_command(command=[bash, os.path.basename(script.name)], cwd=cwd, **options)

    def _init_kwargs_named_a_script(self) -> bool:
        """Tells whether the author named a script: rendering has put its text in the place of its name."""
        written = vars(self).get("_init_kwargs", {}).get("bash_command")
        return isinstance(written, str) and written.endswith(tuple(self.template_ext))

    def on_kill(self) -> None:
        """Tells the command to stop."""
        self.subprocess_hook.send_sigterm()


def _codes(value: int | Container[int] | None) -> Container[int]:
    if value is None:
        return ()
    return (value,) if isinstance(value, int) else value
