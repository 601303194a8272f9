"""Operators that start a job elsewhere, and find it again after a failure of their own."""

import time
from typing import Any

from airlock.sdk.exceptions import AirlockException


class ResumableJobMixin:
    """
    Keeps the id of the job that it starts in the task's state. A later try goes on with that job, if it still runs.

    A subclass says how a job is submitted and looked at, and calls ``execute_resumable`` in its ``execute``.
    """

    external_id_key = "remote_job_id"

    def __init__(self, *, durable: bool = True, **kwargs: Any) -> None:
        """Without ``durable`` every try starts a job of its own."""
        super().__init__(**kwargs)
        self.durable = durable

    def submit_job(self, context: Any) -> Any:
        """Starts the job; returns its id. A subclass overrides it."""
        raise NotImplementedError

    def get_job_status(self, external_id: Any, context: Any) -> Any:
        """Returns the job's status. A subclass overrides it."""
        raise NotImplementedError

    def is_job_active(self, status: Any) -> bool:
        """Tells whether a job of this status still runs. A subclass overrides it."""
        raise NotImplementedError

    def is_job_succeeded(self, status: Any) -> bool:
        """Tells whether a job of this status has succeeded. A subclass overrides it."""
        raise NotImplementedError

    def poll_until_complete(self, external_id: Any, context: Any) -> None:
        """Waits until the job is over. A subclass may override it."""
        while self.is_job_active(self.get_job_status(external_id, context)):
            time.sleep(getattr(self, "poll_interval", 10))

    def get_job_result(self, external_id: Any, context: Any) -> Any:
        """Returns the task's value. A subclass may override it."""
        del context
        return external_id

    def execute_resumable(self, context: Any) -> Any:
        """Goes on with the job of an earlier try, or starts one; returns its result. Raises AirlockException."""
        store = context["task_state_store"] if self.durable else None
        external_id = store.get(self.external_id_key) if store is not None else None
        if external_id is not None:
            status = self.get_job_status(external_id, context)
            if self.is_job_succeeded(status):
                return self.get_job_result(external_id, context)
            if not self.is_job_active(status):
                external_id = None
        if external_id is None:
            external_id = self.submit_job(context)
            if store is not None:
                store.set(self.external_id_key, external_id)
        self.poll_until_complete(external_id, context)
        status = self.get_job_status(external_id, context)
        if not self.is_job_succeeded(status):
            raise AirlockException(f"the job {external_id} ended with the status {status}")
        return self.get_job_result(external_id, context)
