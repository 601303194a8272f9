"""
One function a message: what the runner asked, which call that is, and what it is answered. In one table.

A handler returns the body of the answer, None for an empty one. Errors of the API become an ErrorResponse in the
error slot, which the runner raises, but for those that a runner expects in the body slot: not found, and denied
where falling through to another source would be wrong.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from airlock_sidecar import errors, masking
from airlock_sidecar.calls import Calls, segment
from airlock_sidecar.launch import Launch
from airlock_sidecar.values import as_json
from airlock_wire import messages
from airlock_wire.messages import ErrorResponse, ErrorType

Handler = Callable[[Any], Any]

#: The messages whose handling changes something, so that a restart must know which one was under way.
CHANGING = (messages.SetXCom, messages.SetRenderedFields)


class Handlers:
    """The table for a launch that executes a task instance."""

    def __init__(self, launch: Launch, calls: Calls) -> None:
        self._launch = launch
        self._calls = calls
        self._ti_id = segment(launch.ids["ti_id"])
        self.table: dict[type[Any], Handler] = {
            messages.GetVariable: self.get_variable,
            messages.GetConnection: self.get_connection,
            messages.GetXCom: self.get_xcom,
            messages.SetXCom: self.set_xcom,
            messages.SetRenderedFields: self.set_rendered_fields,
            messages.MaskSecret: self.mask_secret,
        }

    def get_variable(self, ask: messages.GetVariable) -> Any:
        """A variable; its value is masked when its name says that it is a secret."""
        try:
            body = self._calls.call("GET", f"/variables/{segment(ask.key)}")
        except errors.NotFound:
            return ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND, detail={"key": ask.key})
        except errors.Denied as e:
            return _denied(e, {"key": ask.key})
        found = msgspec.json.decode(body, type=_Variable)
        self._launch.mask(masking.secrets_in(found.value, ask.key))
        return messages.VariableResult(key=found.key, value=found.value)

    def get_connection(self, ask: messages.GetConnection) -> Any:
        """A connection; its password and extra are masked."""
        try:
            body = self._calls.call("GET", f"/connections/{segment(ask.conn_id)}")
        except errors.NotFound:
            return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND, detail={"conn_id": ask.conn_id})
        except errors.Denied as e:
            return _denied(e, {"conn_id": ask.conn_id})
        found = msgspec.convert(
            msgspec.json.decode(body, type=dict[str, Any]) | {"type": "ConnectionResult"}, messages.ConnectionResult
        )
        self._launch.mask(masking.secrets_of_connection(found.password, found.extra))
        return found

    def get_xcom(self, ask: messages.GetXCom) -> Any:
        """An XCom, null where there is none."""
        query = [("map_index", str(ask.map_index))] if ask.map_index is not None and ask.map_index >= 0 else []
        if ask.include_prior_dates:
            query.append(("include_prior_dates", "true"))
        try:
            body = self._calls.call("GET", _xcom_path(ask), query=query)
        except errors.NotFound:
            return messages.XComResult(key=ask.key, value=None)
        except errors.Denied as e:
            return _denied(e, {"key": ask.key, "dag_id": ask.dag_id, "task_id": ask.task_id})
        return msgspec.convert(
            msgspec.json.decode(body, type=dict[str, Any]) | {"type": "XComResult"}, messages.XComResult
        )

    def set_xcom(self, ask: messages.SetXCom) -> None:
        """Stores an XCom of this task instance, and of no other."""
        ti = self._launch.ids
        own = (ti["dag_id"], ti["run_id"], ti["task_id"], ti["map_index"])
        named = (ask.dag_id, ask.run_id, ask.task_id, ti["map_index"] if ask.map_index is None else ask.map_index)
        if named != own:
            raise errors.NotAllowed(
                "foreign ids", f"a write to {'/'.join(map(str, named))}; this is {'/'.join(map(str, own))}"
            )
        query = [("map_index", str(ti["map_index"]))] if ti["map_index"] >= 0 else []
        if ask.dag_result:
            query.append(("dag_result", "true"))
        if ask.mapped_length is not None:
            query.append(("mapped_length", str(ask.mapped_length)))
        self._calls.call("POST", _xcom_path(ask), query=query, body=as_json(ask.value))

    def set_rendered_fields(self, ask: messages.SetRenderedFields) -> None:
        """Stores the rendered fields, masked: they are shown to people. An archived try wants them no more."""
        fields = self._launch.masker.mask_value(ask.rendered_fields)
        try:
            self._calls.call("PUT", f"/task-instances/{self._ti_id}/rtif", body=as_json(fields))
        except errors.Gone:
            return

    def mask_secret(self, ask: messages.MaskSecret) -> None:
        """Masks what the task asks to be masked."""
        self._launch.mask(masking.secrets_in(ask.value, ask.name))


class ParseHandlers:
    """The table for a launch that parses a file: it asks the server nothing."""

    def __init__(self, launch: Launch, keep_result: Callable[[bytes], None]) -> None:
        self._launch = launch
        self._keep = keep_result
        self.table: dict[type[Any], Handler] = {
            messages.GetVariable: self.denied,
            messages.GetConnection: self.denied,
            messages.GetXCom: self.denied,
            messages.MaskSecret: self.mask_secret,
            messages.DagFileParsingResult: self.result,
        }

    def denied(self, ask: Any) -> Any:
        """While a file is parsed it is granted nothing: no task instance is there whose grants would count."""
        return ErrorResponse(
            error=ErrorType.PERMISSION_DENIED,
            detail={
                "message": f"{type(ask).__name__} while the DAG file is parsed: nothing is granted to it. "
                "Move the call into a task, where it runs with the task's grants."
            },
        )

    def mask_secret(self, ask: messages.MaskSecret) -> None:
        """Masks what the file asks to be masked."""
        self._launch.mask(masking.secrets_in(ask.value, ask.name))

    def result(self, found: messages.DagFileParsingResult) -> None:
        """Keeps the result for whoever asked for it; a second one is refused."""
        if self._launch.memory.parsed:
            raise errors.NotAllowed("second terminal message", "a second parsing result is refused")
        self._keep(as_json(found))
        with self._launch.remembering() as memory:
            memory.parsed = True


class _Variable(msgspec.Struct):
    key: str
    value: str | None


def _xcom_path(ask: messages.GetXCom | messages.SetXCom) -> str:
    return "/xcoms/" + "/".join(segment(part) for part in (ask.dag_id, ask.run_id, ask.task_id, ask.key))


def _denied(e: errors.Denied, detail: dict[str, Any]) -> ErrorResponse:
    return ErrorResponse(
        error=ErrorType.PERMISSION_DENIED, detail=detail | {"status_code": e.status, "detail": e.detail}
    )
