"""The class by which XComs are kept: BaseXCom, or the author's own of ``[core] xcom_backend``."""

from importlib import import_module
from typing import Any

from airlock.sdk.bases.xcom import BaseXCom
from airlock.sdk.basis.settings import setting
from airlock.sdk.exceptions import AirlockException


def resolve_xcom_backend() -> Any:
    """Returns the class. Raises AirlockException for a path that is not a subclass of BaseXCom."""
    path = setting("core", "xcom_backend", "")
    if not path or path.rpartition(".")[2] == "BaseXCom":
        return BaseXCom
    module, _, name = path.rpartition(".")
    try:
        backend = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as e:
        raise AirlockException(f"the XCom backend {path!r} cannot be imported: {e}; correct [core] xcom_backend") from e
    if not (isinstance(backend, type) and issubclass(backend, BaseXCom)):
        raise AirlockException(f"the XCom backend {path!r} is not a subclass of BaseXCom")
    return backend


def __getattr__(name: str) -> Any:
    """Returns ``XCom``, the class of the setting."""
    if name == "XCom":
        return resolve_xcom_backend()
    raise AttributeError(name)
