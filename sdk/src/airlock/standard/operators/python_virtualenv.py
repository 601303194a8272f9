"""Tasks that call a function in another Python: in an environment that is made for it, or in one that is there."""

import hashlib
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from airlock.sdk.bases.branch import BaseBranchOperator
from airlock.sdk.basis.source import source_of
from airlock.sdk.definitions.variable import Variable
from airlock.sdk.exceptions import AirlockException
from airlock.standard.operators.python import PythonOperator
from airlock.standard.virtualenv import prepare_virtualenv
from airlock.standard.virtualenv.call import SERIALIZERS, call
from airlock.standard.virtualenv.environment import run

#: Entries of the context that every Python can unpickle, and those that need pendulum.
PLAIN_KEYS: Final = frozenset(
    {
        "ds", "ds_nodash", "expanded_ti_count", "inlets", "outlets", "partition_key", "run_id", "task_instance_key_str",
        "task_reschedule_count", "test_mode", "ts", "ts_nodash", "ts_nodash_with_tz",
    }
)  # fmt: skip
DATE_KEYS: Final = frozenset(
    {
        "data_interval_end", "data_interval_start", "logical_date", "partition_date", "prev_data_interval_end_success",
        "prev_data_interval_start_success", "prev_end_date_success", "prev_start_date_success",
    }
)  # fmt: skip
_MARK = "install_complete_marker.json"


class BasePythonVirtualenvOperator(PythonOperator):
    """
    Calls a function in another Python. Its source is copied there: it needs imports of its own, and sees no variable
    from outside. ``string_args`` are there as ``virtualenv_string_args``.
    """

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        serializer: str | None = None,
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        string_args: Iterable[str] | None = None,
        templates_dict: dict[str, Any] | None = None,
        templates_exts: list[str] | None = None,
        expect_airflow: bool = True,
        skip_on_exit_code: int | Container[int] | None = None,
        env_vars: dict[str, str] | None = None,
        inherit_env: bool = True,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError for lambdas, generators and callable objects, whose source cannot be copied."""
        if not isinstance(python_callable, types.FunctionType) or python_callable.__name__ == "<lambda>":
            raise ValueError(f"{type(self).__name__} only supports functions for python_callable arg")
        if inspect.isgeneratorfunction(python_callable):
            raise ValueError(f"{type(self).__name__} does not support using 'yield' in python_callable")
        super().__init__(
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            templates_dict=templates_dict,
            templates_exts=templates_exts,
            **kwargs,
        )
        self.string_args = string_args or []
        self.serializer = serializer or "pickle"
        if self.serializer not in SERIALIZERS:
            expected = ", ".join(map(repr, SERIALIZERS))
            raise AirlockException(f"Unsupported serializer {serializer!r}. Expected one of {expected}")
        self.expect_airflow = expect_airflow
        self.skip_on_exit_code: Container[int] = (
            ()
            if skip_on_exit_code is None
            else (skip_on_exit_code,)
            if isinstance(skip_on_exit_code, int)
            else skip_on_exit_code
        )
        self.env_vars = env_vars
        self.inherit_env = inherit_env

    @property
    def is_async(self) -> bool:
        """False: the function runs in another process."""
        return False

    def _iter_serializable_context_keys(self) -> Iterator[str]:
        """Yields the entries of the context that the other Python can read."""
        yield from PLAIN_KEYS

    def execute(self, context: Any) -> Any:
        """Calls the function with what the other Python can read of the context; returns what it returned."""
        kept = set(self._iter_serializable_context_keys())
        task, ti = context["task"], context["ti"]
        readable = type(context)({name: value for name, value in context.items() if name in kept})
        self._branch_context = {"task": task, "ti": ti}
        return super().execute(readable)

    def get_python_source(self) -> str:
        """Returns the function's source without its task decorator."""
        return source_of(self.python_callable, str(getattr(self, "custom_operator_name", "@task")))

    def _call_in(self, python: str) -> Any:
        environment = dict(os.environ) if self.inherit_env else {}
        environment |= self.env_vars or {}
        bundle = self.dag.folder if self.has_dag() else ""
        if bundle:
            paths = [each for each in (environment.get("PYTHONPATH"), bundle) if each]
            environment["PYTHONPATH"] = os.pathsep.join(paths)
        kwargs = {name: getattr(value, "__wrapped__", value) for name, value in self.op_kwargs.items()}
        if self.templates_dict:
            kwargs.setdefault("templates_dict", self.templates_dict)
            kwargs = {k: v for k, v in kwargs.items() if k != "templates_dict" or self._takes("templates_dict")}
        return call(
            python,
            name=self.python_callable.__name__,
            source=self.get_python_source(),
            serializer=self.serializer,
            args=list(self.op_args),
            kwargs=kwargs,
            string_args=self.string_args,
            environment=environment,
            skip_on_exit_code=self.skip_on_exit_code,
            run=run,
        )

    def _takes(self, name: str) -> bool:
        from airlock.sdk._signature import signature_of

        signature = signature_of(self.python_callable)
        return signature.any_name or name in signature.by_name


class PythonVirtualenvOperator(BasePythonVirtualenvOperator):
    """
    Calls a function in a virtual environment that is made for it, with ``requirements``, and removed afterwards; with
    ``venv_cache_path`` it is kept there for the same requirements.
    """

    template_fields: Collection[str] = (
        "requirements", "index_urls", "index_urls_from_connection_ids", "venv_cache_path", "templates_dict", "op_args",
        "op_kwargs",
    )  # fmt: skip
    template_ext: Sequence[str] = (".txt",)

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        requirements: Iterable[str] | str | None = None,
        python_version: str | None = None,
        serializer: str | None = None,
        system_site_packages: bool = True,
        pip_install_options: list[str] | None = None,
        index_urls: Collection[str] | str | None = None,
        index_urls_from_connection_ids: Collection[str] | str | None = None,
        venv_cache_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises AirlockException for arguments that another major version of Python could not read."""
        if (
            python_version
            and str(python_version).partition(".")[0] != str(sys.version_info.major)
            and (kwargs.get("op_args") or kwargs.get("op_kwargs"))
        ):
            raise AirlockException(
                "Passing op_args or op_kwargs is not supported across different Python major versions for "
                "PythonVirtualenvOperator. Please use string_args."
            )
        if python_version is not None and not isinstance(python_version, str):
            raise AirlockException(
                f"python_version must be text, as '3.11', not {type(python_version).__name__}: {python_version!r}"
            )
        self.requirements: Any = [requirements] if isinstance(requirements, str) else list(requirements or [])
        self.python_version = python_version
        self.system_site_packages = system_site_packages
        self.pip_install_options = pip_install_options
        self.index_urls = _list(index_urls)
        self.index_urls_from_connection_ids = _list(index_urls_from_connection_ids)
        self.venv_cache_path = venv_cache_path
        super().__init__(python_callable=python_callable, serializer=serializer, **kwargs)

    def _lines(self) -> list[str]:
        """Returns the requirements, one a line: a rendered file has several."""
        lines = [line.strip() for text in self.requirements for line in str(text).splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if not self.system_site_packages and self.serializer != "pickle" and self.serializer not in lines:
            lines.append(self.serializer)
        return sorted(lines)

    def _iter_serializable_context_keys(self) -> Iterator[str]:
        yield from super()._iter_serializable_context_keys()
        names = {line.partition("=")[0].partition("<")[0].partition(">")[0].strip("~! ") for line in self._lines()}
        if self.system_site_packages or names & {"pendulum", "apache-airflow"}:
            yield from DATE_KEYS

    def _prepare_venv(self, folder: str) -> None:
        requirements = os.path.join(folder, "requirements.txt")
        with open(requirements, "w", encoding="utf-8") as file:
            file.write("\n".join(self._lines()))
        prepare_virtualenv(
            venv_directory=folder,
            python_bin=f"python{self.python_version}" if self.python_version else sys.executable,
            system_site_packages=self.system_site_packages,
            requirements_file_path=requirements if self._lines() else None,
            pip_install_options=self.pip_install_options,
            index_urls=self.index_urls,
        )

    def execute_callable(self) -> Any:
        """Makes the environment, or takes the one that is kept, and calls the function in it."""
        if self.index_urls_from_connection_ids:
            from airlock.standard.hooks.package_index import PackageIndexHook

            urls = [PackageIndexHook(conn_id).get_connection_url() for conn_id in self.index_urls_from_connection_ids]
            self.index_urls = [*(self.index_urls or []), *urls]
        if self.venv_cache_path:
            return self._call_in(os.path.join(self._kept_environment(self.venv_cache_path), "bin", "python"))
        with tempfile.TemporaryDirectory(prefix="venv") as folder:
            self._prepare_venv(folder)
            return self._call_in(os.path.join(folder, "bin", "python"))

    def _kept_environment(self, cache: str) -> str:
        """Returns the folder of the environment for these requirements; makes it if it is not whole."""
        import fcntl

        text = msgspec.json.encode(
            {
                "cache_key": str(Variable.get("python_virtualenv_operator_cache_key", "")),
                "index_urls": self.index_urls,
                "pip_install_options": self.pip_install_options,
                "python_version": self.python_version,
                "requirements_list": self._lines(),
                "system_site_packages": self.system_site_packages,
            },
            order="sorted",
        )
        folder = os.path.join(cache, f"venv-{hashlib.md5(text, usedforsecurity=False).hexdigest()[:8]}")
        os.makedirs(cache, exist_ok=True)
        with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            mark = os.path.join(folder, _MARK)
            if os.path.exists(mark):
                with open(mark, "rb") as file:
                    if file.read() == text:
                        self.log.info("Reusing cached Python virtual environment in %s", folder)
                        return folder
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            try:
                self._prepare_venv(folder)
                with open(mark, "wb") as file:
                    file.write(text)
            except Exception as e:
                shutil.rmtree(folder, ignore_errors=True)
                raise AirlockException(f"Unable to create new virtual environment in {folder}") from e
        return folder


class ExternalPythonOperator(BasePythonVirtualenvOperator):
    """Calls a function in the Python at the path ``python``."""

    template_fields: Collection[str] = ("python", "templates_dict", "op_args", "op_kwargs")

    def __init__(
        self, *, python: str, python_callable: Callable[..., Any], expect_pendulum: bool = False, **kwargs: Any
    ) -> None:
        """Raises ValueError without a path."""
        if not python:
            raise ValueError("Python Path must be defined in ExternalPythonOperator")
        self.python = python
        self.expect_pendulum = expect_pendulum
        super().__init__(python_callable=python_callable, **kwargs)

    def _iter_serializable_context_keys(self) -> Iterator[str]:
        yield from super()._iter_serializable_context_keys()
        result = subprocess.run([self.python, "-c", "import pendulum"], capture_output=True, check=False)
        if result.returncode == 0:
            yield from DATE_KEYS
        elif self.expect_pendulum:
            self.log.warning("pendulum is not installed for %s, so the context has no dates there", self.python)

    def execute(self, context: Any) -> Any:
        """Checks the path, and calls the function."""
        if not os.path.exists(self.python):
            raise ValueError(f"Python Path '{self.python}' must exists")
        if not os.path.isfile(self.python):
            raise ValueError(f"Python Path '{self.python}' must be a file")
        if not os.path.isabs(self.python):
            raise ValueError(f"Python Path '{self.python}' must be an absolute path.")
        return super().execute(context)

    def execute_callable(self) -> Any:
        """Calls the function there."""
        return self._call_in(self.python)


class BranchPythonVirtualenvOperator(BaseBranchOperator, PythonVirtualenvOperator):
    """Follows the tasks whose ids the function returns from its environment."""

    def execute(self, context: Any) -> Any:
        """Follows what the function returned."""
        return self.do_branch(context, PythonVirtualenvOperator.execute(self, context))


class BranchExternalPythonOperator(BaseBranchOperator, ExternalPythonOperator):
    """Follows the tasks whose ids the function returns from its Python."""

    def execute(self, context: Any) -> Any:
        """Follows what the function returned."""
        return self.do_branch(context, ExternalPythonOperator.execute(self, context))


def _list(value: Collection[str] | str | None) -> list[str] | None:
    if value is None:
        return None
    return [value] if isinstance(value, str) else list(value)
