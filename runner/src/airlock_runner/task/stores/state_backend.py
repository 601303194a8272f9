"""
Worker-side backends of the state stores: a class of the administrator's keeps the values, and the server a reference.

The class has the interface of Airflow's: ``serialize_task_state_store_to_ref`` and so on. References are stored in the
form that Airflow gives them, so a value that one of the two has kept is found by the other.
"""

from functools import cache
from typing import Any, Final

import msgspec

from airlock.sdk.exceptions import AirlockException

_REFERENCE: Final = "__airflow_state_ref__"


class TaskScope(msgspec.Struct, frozen=True):
    """The task instance whose value a backend keeps."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1


class AssetScope(msgspec.Struct, frozen=True, kw_only=True):
    """The asset whose value a backend keeps: its name or its URI, as the task knows it."""

    name: str | None = None
    uri: str | None = None
    asset_id: int | None = None


class Backend:
    """The calls that the stores make of an administrator's class."""

    def __init__(self, instance: Any) -> None:
        self._instance = instance

    def keep_for_task(self, key: tuple[str, str, str, int], name: str, value: Any) -> dict[str, str]:
        """Keeps a value of a task instance; returns what the server stores for it."""
        scope = TaskScope(*key)
        return {_REFERENCE: self._instance.serialize_task_state_store_to_ref(value=value, key=name, scope=scope)}

    def value_of_task(self, stored: Any) -> Any:
        """Returns the value behind what the server has stored; a value that no backend has kept is returned itself."""
        reference = _reference_in(stored)
        return stored if reference is None else self._instance.deserialize_task_state_store_from_ref(reference)

    def delete_of_task(self, key: tuple[str, str, str, int], name: str) -> None:
        """Forgets a value of a task instance."""
        self._instance.delete(TaskScope(*key), name)

    def clear_of_task(self, key: tuple[str, str, str, int], *, all_map_indices: bool) -> None:
        """Forgets all values of a task instance, or of all instances of the task in the DAG run."""
        self._instance.clear(TaskScope(*key), all_map_indices=all_map_indices)

    def keep_for_asset(self, scope: AssetScope, name: str, value: Any) -> dict[str, str]:
        """Keeps a value of an asset; returns what the server stores for it."""
        return {_REFERENCE: self._instance.serialize_asset_state_store_to_ref(value=value, key=name, scope=scope)}

    def value_of_asset(self, stored: Any) -> Any:
        """Returns the value behind what the server has stored; a value that no backend has kept is returned itself."""
        reference = _reference_in(stored)
        return stored if reference is None else self._instance.deserialize_asset_state_store_from_ref(reference)

    def delete_of_asset(self, scope: AssetScope, name: str) -> None:
        """Forgets a value of an asset."""
        self._instance.delete(scope, name)

    def clear_of_asset(self, scope: AssetScope) -> None:
        """Forgets all values of an asset."""
        self._instance.clear(scope)


def _reference_in(stored: Any) -> str | None:
    reference = stored.get(_REFERENCE) if isinstance(stored, dict) else None
    return reference if isinstance(reference, str) else None


@cache
def load(path: str) -> Backend:
    """Returns the backend of this path, made once; raises AirlockException for a class that cannot be made."""
    from importlib import import_module

    module, _, name = path.rpartition(".")
    try:
        return Backend(getattr(import_module(module), name)())
    except (ImportError, AttributeError, ValueError, TypeError) as e:
        raise AirlockException(
            f"[state_store] worker_backend {path!r} cannot be loaded: {type(e).__name__}: {e}; name a class that the "
            "runner's image or the bundle has"
        ) from e
