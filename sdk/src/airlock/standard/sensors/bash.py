"""A sensor that runs a command of bash."""

import subprocess
import tempfile
from collections.abc import Collection
from typing import Any

from airlock.sdk.bases.sensor import BaseSensorOperator
from airlock.sdk.exceptions import AirlockFailException


class BashSensor(BaseSensorOperator):
    """
    Runs ``bash_command`` until it exits with 0. With ``retry_exit_code`` that code is looked at again, and any other
    fails the task; without it every code but 0 is looked at again.
    """

    template_fields: Collection[str] = ("bash_command", "env")

    def __init__(
        self,
        *,
        bash_command: str,
        env: dict[str, str] | None = None,
        output_encoding: str = "utf-8",
        retry_exit_code: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Takes the arguments of every sensor, too."""
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.output_encoding = output_encoding
        self.retry_exit_code = retry_exit_code

    def poke(self, context: Any) -> bool:
        """Runs the command once, in a temporary folder."""
        del context
        self.log.info("Running command: %s", self.bash_command)
        with tempfile.TemporaryDirectory(prefix="airlocktmp") as folder:
            with open(f"{folder}/script", "w", encoding="utf-8") as script:
                script.write(self.bash_command)
            with subprocess.Popen(
                ["bash", script.name],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=self.env,
                start_new_session=True,
            ) as process:
                assert process.stdout is not None  # noqa: S101 - it is a pipe
                for line in process.stdout:
                    self.log.info(line.decode(self.output_encoding).strip())
        self.log.info("Command exited with return code %s", process.returncode)
        if process.returncode == 0:
            return True
        if self.retry_exit_code is not None and process.returncode != self.retry_exit_code:
            raise AirlockFailException(f"Command exited with return code {process.returncode}")
        return False
