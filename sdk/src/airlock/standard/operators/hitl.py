"""Tasks that ask a person: human in the loop."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urlparse, urlunparse

from airlock.sdk import _channel
from airlock.sdk.bases.branch import BranchMixIn
from airlock.sdk.bases.notifier import BaseNotifier
from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.bases.skipmixin import SkipMixin
from airlock.sdk.basis.settings import setting
from airlock.sdk.definitions.param import ParamsDict
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.exceptions import TaskAwaitingInput
from airlock.standard.exceptions import HITLRejectException, HITLTimeoutError, HITLTriggerEventError
from airlock_wire.protocol.changes import CreateHITLDetailPayload
from airlock_wire.protocol.messages import ErrorResponse


class HITLOperator(BaseOperator):
    """
    Asks a person to choose among ``options``, and to fill in ``params``. The task waits without a process.

    After ``response_timeout`` the ``defaults`` are taken; without defaults the task fails. ``assigned_users`` may
    answer; ``notifiers`` are called when the question is there.
    """

    template_fields: Collection[str] = ("subject", "body")

    def __init__(
        self,
        *,
        subject: str,
        options: list[str],
        body: str | None = None,
        defaults: str | list[str] | None = None,
        multiple: bool = False,
        params: Any = None,
        notifiers: Sequence[BaseNotifier] | BaseNotifier | None = None,
        assigned_users: Any = None,
        response_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError for options or defaults that cannot be."""
        super().__init__(**kwargs)
        if self.execution_timeout and not response_timeout:
            warnings.warn(
                "execution_timeout of a HITLOperator is deprecated as the limit of the wait; use response_timeout",
                DeprecationWarning,
                stacklevel=2,
            )
            response_timeout, self.execution_timeout = self.execution_timeout, None
        self.response_timeout = response_timeout
        self.subject = subject
        self.body = body
        self.options = options
        self.defaults = [defaults] if isinstance(defaults, str) else defaults
        self.multiple = multiple
        own = params if isinstance(params, ParamsDict) else ParamsDict(params or {})
        self.params: ParamsDict = ParamsDict.filter_params_by_source(own, source="task")
        self.notifiers: Sequence[BaseNotifier] = [notifiers] if isinstance(notifiers, BaseNotifier) else notifiers or []
        self.assigned_users = [assigned_users] if isinstance(assigned_users, dict) else assigned_users
        self.validate_options()
        self.validate_params()
        self.validate_defaults()
        self.hitl_summary_extra: dict[str, Any] = {}

    def validate_options(self) -> None:
        """Raises ValueError without options."""
        if not self.options:
            raise ValueError('"options" cannot be empty.')

    def validate_params(self) -> None:
        """Raises ValueError for a parameter with a name of ours."""
        if "_options" in self.params:
            raise ValueError('"_options" is not allowed in params')

    def validate_defaults(self) -> None:
        """Raises ValueError for defaults that are not among the options, or too many."""
        if self.defaults is None:
            return
        if not set(self.defaults) <= set(self.options):
            raise ValueError(f'defaults "{self.defaults}" should be a subset of options "{self.options}"')
        if not self.multiple and len(self.defaults) > 1:
            raise ValueError('More than one defaults given when "multiple" is set to False.')

    @property
    def serialized_params(self) -> dict[str, dict[str, Any]]:
        """The parameters as plain data."""
        return {name: self.params.get_param(name).serialize() for name in self.params}

    @property
    def hitl_summary(self) -> dict[str, Any]:
        """The question, and what became of it, for those who watch."""
        return {
            "subject": self.subject,
            "body": self.body,
            "options": self.options,
            "defaults": self.defaults,
            "multiple": self.multiple,
            "assigned_users": self.assigned_users,
            "serialized_params": self.serialized_params or None,
            **self.hitl_summary_extra,
        }

    def execute(self, context: Any) -> Any:
        """Puts the question where people see it, and waits."""
        answer = _channel.ask(
            CreateHITLDetailPayload(
                ti_id=context["task_instance"].id,
                options=self.options,
                subject=self.subject,
                body=self.body,
                defaults=self.defaults,
                multiple=self.multiple,
                params=self.serialized_params,
                assigned_users=self.assigned_users or [],
            ),
            f"the question {self.subject!r}",
        )
        if isinstance(answer, ErrorResponse):
            raise refusal(answer, f"the question {self.subject!r}")
        until = datetime.now(UTC) + self.response_timeout if self.response_timeout else None
        self.hitl_summary_extra["timeout_datetime"] = until.isoformat() if until else None
        self.log.info("Waiting for response")
        for notifier in self.notifiers:
            notifier(context)
        raise TaskAwaitingInput(method_name="execute_complete", timeout=self.response_timeout)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Goes on with the answer; returns it."""
        del context
        if "error" in event:
            self.hitl_summary_extra["error_type"] = event["error_type"]
            self.process_trigger_event_error(event)
        chosen, given = event["chosen_options"], event["params_input"] or {}
        self.validate_chosen_options(chosen)
        self.validate_params_input(given)
        answer = {
            "chosen_options": chosen,
            "params_input": given,
            "responded_at": event["responded_at"],
            "responded_by_user": event["responded_by_user"],
        }
        self.hitl_summary_extra.update(answer)
        return answer

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        """Raises HITLTimeoutError, or HITLTriggerEventError for another fault."""
        raise (HITLTimeoutError if event["error_type"] == "timeout" else HITLTriggerEventError)(event)

    def validate_chosen_options(self, chosen_options: list[str]) -> None:
        """Raises ValueError for an answer that is not among the options."""
        if wrong := set(chosen_options) - set(self.options):
            raise ValueError(f"Responses {wrong} not in {self.options}")

    def validate_params_input(self, params_input: Mapping[str, Any]) -> None:
        """Raises ValueError for other parameters than were asked for, or a value that its schema refuses."""
        if self.params and params_input and set(self.serialized_params) ^ set(params_input):
            raise ValueError(f"params_input {params_input} does not match params {self.params}")
        for key, value in params_input.items():
            self.params[key] = value

    def generate_link_to_ui(
        self,
        *,
        task_instance: Any,
        base_url: str | None = None,
        options: str | list[str] | None = None,
        params_input: dict[str, Any] | None = None,
    ) -> str:
        """Returns the address where a person answers, with an answer filled in. Raises ValueError for a wrong one."""
        query: dict[str, Any] = {}
        chosen = [options] if isinstance(options, str) else options
        if chosen:
            if wrong := set(chosen) - set(self.options):
                raise ValueError(f"options {wrong} are not valid options")
            query["_options"] = chosen
        if params_input:
            if wrong := set(params_input) - set(self.params):
                raise ValueError(f"params {wrong} are not valid params")
            query.update(params_input)
        base_url = base_url or setting("api", "base_url", "")
        if not base_url:
            raise ValueError("Not able to retrieve base_url: give base_url=, or set AIRLOCK__API__BASE_URL")
        query["map_index"] = task_instance.map_index
        place = urlparse(base_url)
        path = (
            f"/dags/{task_instance.dag_id}/runs/{task_instance.run_id}/tasks/{task_instance.task_id}/required_actions"
        )
        return urlunparse((place.scheme, place.netloc, path, "", urlencode(query), ""))

    @staticmethod
    def generate_link_to_ui_from_context(
        *,
        context: Any,
        base_url: str | None = None,
        options: list[str] | None = None,
        params_input: dict[str, Any] | None = None,
    ) -> str:
        """Returns the address where a person answers the running task's question."""
        task = context["task"]
        if not isinstance(task, HITLOperator):
            raise ValueError("This method only supports HITLOperator")
        return task.generate_link_to_ui(
            task_instance=context["task_instance"], base_url=base_url, options=options, params_input=params_input
        )


class ApprovalOperator(HITLOperator, SkipMixin):
    """
    Asks for approval. A rejection skips what comes after (at any distance with ``ignore_downstream_trigger_rules``), or
    fails the task with ``fail_on_reject``.
    """

    FIXED_ARGS: ClassVar[list[str]] = ["options", "multiple"]
    APPROVE = "Approve"
    REJECT = "Reject"

    def __init__(
        self, *, ignore_downstream_trigger_rules: bool = False, fail_on_reject: bool = False, **kwargs: Any
    ) -> None:
        """Raises ValueError for the arguments that are fixed."""
        for name in self.FIXED_ARGS:
            if name in kwargs:
                raise ValueError(f"Passing {name} to ApprovalOperator is not allowed.")
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules
        self.fail_on_reject = fail_on_reject
        super().__init__(options=[self.APPROVE, self.REJECT], multiple=False, **kwargs)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Goes on with the answer; skips or fails if it is a rejection."""
        answer = super().execute_complete(context=context, event=event)
        approved = answer["chosen_options"][0] == self.APPROVE
        self.hitl_summary_extra["approved"] = approved
        if approved:
            self.log.info("Approved. Proceeding with downstream tasks...")
            return answer
        if self.fail_on_reject:
            raise HITLRejectException('Receive "Reject"')
        if not self.downstream_task_ids:
            self.log.info("No downstream tasks; nothing to do.")
            return answer
        task = context["task"]
        after = task.get_flat_relatives() if self.ignore_downstream_trigger_rules else task.get_direct_relatives()
        self.log.info("Skipping downstream tasks")
        self.skip(ti=context["ti"], tasks=[each for each in after if not each.is_teardown])
        return answer


class HITLBranchOperator(HITLOperator, BranchMixIn):
    """Follows the tasks that a person chooses; ``options_mapping`` gives the task id for an option."""

    def __init__(self, *, options_mapping: dict[str, str] | None = None, **kwargs: Any) -> None:
        """Raises ValueError for a mapping of what is not an option."""
        super().__init__(**kwargs)
        self.options_mapping = options_mapping or {}
        self.validate_options_mapping()

    def validate_options_mapping(self) -> None:
        """Raises ValueError for keys that are not options, and values that are not ids."""
        if unknown := sorted(set(self.options_mapping) - set(self.options)):
            raise ValueError(f"`options_mapping` contains keys that are not in `options`: {unknown}")
        wrong = {
            key: (value, type(value).__name__)
            for key, value in self.options_mapping.items()
            if not isinstance(value, str)
        }
        if wrong:
            raise ValueError(f"`options_mapping` values must be strings (task_ids).\nInvalid entries: {wrong}")

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Follows what was chosen."""
        answer = super().execute_complete(context=context, event=event)
        chosen = [self.options_mapping.get(option, option) for option in answer["chosen_options"]]
        self.hitl_summary_extra["branches_to_execute"] = chosen
        return self.do_branch(context=context, branches_to_execute=chosen)


class HITLEntryOperator(HITLOperator):
    """Asks a person to fill in parameters."""

    OK = "OK"

    def __init__(self, **kwargs: Any) -> None:
        """Has the one option ``OK`` unless others are given."""
        if "options" not in kwargs:
            kwargs["options"] = [self.OK]
            kwargs.setdefault("defaults", [self.OK])
        super().__init__(**kwargs)
