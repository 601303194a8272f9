"""The warning for an old import name: Airflow's category, the old name and the new one."""

import warnings


class DeprecatedImportWarning(FutureWarning):
    """An import by a name that a later release of Airflow will not have."""


class RemovedInAirflow4Warning(DeprecationWarning):
    """Something that Airflow 4 will not have."""

    deprecated_since: str | None = None


class AirflowProviderDeprecationWarning(DeprecationWarning):
    """Something that a later release of a provider will not have."""

    deprecated_provider_since: str | None = None


def warn(old: str, new: str, *, depth: int) -> None:
    """Warns of an old name, at the code that is ``depth`` calls up."""
    text = f"{old} is deprecated and will be removed in a later release of Airflow; use {new}"
    warnings.warn(text, DeprecatedImportWarning, stacklevel=depth + 1)
