"""What the sensors of other DAGs and the questions to people raise."""

from airlock.sdk.exceptions import AirlockException


class AirlockExternalTaskSensorException(AirlockException):
    """The root of what a sensor of another DAG raises."""


class ExternalDagNotFoundError(AirlockExternalTaskSensorException):
    """There is no such DAG."""


class ExternalDagDeletedError(AirlockExternalTaskSensorException):
    """The DAG was deleted."""


class ExternalTaskNotFoundError(AirlockExternalTaskSensorException):
    """The DAG has no such task."""


class ExternalTaskGroupNotFoundError(AirlockExternalTaskSensorException):
    """The DAG has no such task group."""


class ExternalTaskFailedError(AirlockExternalTaskSensorException):
    """The task failed."""


class ExternalTaskGroupFailedError(AirlockExternalTaskSensorException):
    """A task of the group failed."""


class ExternalDagFailedError(AirlockExternalTaskSensorException):
    """The DAG run failed."""


class DuplicateStateError(AirlockExternalTaskSensorException):
    """One state is among the allowed, skipped and failed ones twice."""


class HITLTriggerEventError(Exception):
    """The answer of a person cannot be used."""


class HITLTimeoutError(HITLTriggerEventError):
    """Nobody answered in time."""


class HITLRejectException(AirlockException):
    """A person said no, and the operator was told to fail then."""
