"""
Answers messages: by their row of the table of routes, or by what a row cannot say. ``answers`` says which has which.

A handler returns the body of the answer, None for an empty one. An error of the API becomes an ErrorResponse in the
error slot, and the runner raises it. Two errors come in the body slot, where a runner expects them: not found, and
denied if the runner would otherwise look in another source.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from airlock_sidecar import errors
from airlock_sidecar.logs import masking
from airlock_sidecar.requests import access, governing, json_values, refusals
from airlock_sidecar.requests.results import Results
from airlock_sidecar.requests.route import Request, Route
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.upstream.calls import Calls, segment
from airlock_sidecar.upstream.lookups_file import LookupsFile
from airlock_wire.options import TaskOptions
from airlock_wire.protocol import callbacks, changes, lookups, messages, timetables
from airlock_wire.protocol.messages import ErrorResponse, ErrorType
from airlock_wire.workload import Access, Callback, Timetable

Handler = Callable[[Any], Any]

#: The prefix in the header of a HEAD's answer that gives the number of map indexes.
_COUNT_PREFIX = "map_indexes "


class DescriptorReply(msgspec.Struct, frozen=True):
    """An answer with a descriptor; whoever sends the frame closes the descriptor."""

    body: Any
    fd: int


class Handlers:
    """
    The functions for a launch that executes a task instance. ``open_log`` makes another channel for log lines.
    ``own`` has answers that the server is not asked for.
    """

    def __init__(
        self, launch: Launch, calls: Calls, granted: Access, open_log: Callable[[], int], own: LookupsFile
    ) -> None:
        self._launch = launch
        self._calls = calls
        self._access = granted
        self._open_log = open_log
        self._own = own

    def routed(self, route: Route, ask: Any) -> Any:
        """Returns the answer by the message's row."""
        return self._routed(route, ask, lambda answer: route.reply(ask, answer))

    def _routed(self, route: Route, ask: Any, reply: Callable[[bytes], Any]) -> Any:
        try:
            request = self._request(route, ask)
            answer = self._own_answer(ask)
            if answer is None:
                answer = self._calls.call(request.method, request.path, query=request.query, body=request.body)
            return reply(answer)
        except errors.NotFound as e:
            absent = route.absent(ask)
            if absent is None or not e.by_server:
                raise
            return absent
        except (errors.Denied, errors.NotGranted) as e:
            if not route.denied_in_body:
                raise
            if isinstance(e, errors.NotGranted):
                self._launch.refused(e.kind)
            return refusals.denied(e, route.named(ask))

    def _own_answer(self, ask: Any) -> bytes | None:
        """Returns the answer that this sidecar was given for a message; the grant was looked at before."""
        match ask:
            case messages.GetVariable():
                return self._own.variable(ask.key)
            case messages.GetConnection():
                return self._own.connection(ask.conn_id)
        return None

    def get_variable(self, route: Route, ask: messages.GetVariable) -> Any:
        """Returns a variable; its value is masked when its name says that it is a secret."""
        answer = self.routed(route, ask)
        if isinstance(answer, dict):
            self._launch.mask(masking.secrets_in(answer.get("value"), ask.key))
        return answer

    def get_connection(self, route: Route, ask: messages.GetConnection) -> Any:
        """Returns a connection; its password and extra are masked."""
        answer = self.routed(route, ask)
        if isinstance(answer, dict):
            self._launch.mask(masking.secrets_of_connection(answer.get("password"), answer.get("extra")))
        return answer

    def get_xcom(self, route: Route, ask: messages.GetXCom) -> Any:
        """Returns an XCom, null if it does not exist; its JSON text for a runner that agreed on that."""
        reply = json_values.reply if self._launch.memory.json_values else partial(route.reply, ask)
        try:
            return self._routed(route, ask, reply)
        except errors.NotFound as e:
            if not e.by_server:
                raise
            return messages.XComResult(key=ask.key, value=None)

    def set_xcom(self, route: Route, ask: messages.SetXCom) -> Any:
        """Stores an XCom; a runner that agreed on that sends its JSON text, which is passed on as it is."""
        if self._launch.memory.json_values:
            ask = msgspec.structs.replace(ask, value=json_values.text_of(ask.value))
        return self.routed(route, ask)

    def get_xcom_count(self, route: Route, ask: lookups.GetXComCount) -> Any:
        """Tells how many map indexes have an XCom: the server says it in a header."""
        request = self._request(route, ask)
        header = self._calls.answer(request.method, request.path, query=request.query).content_range or ""
        if not header.startswith(_COUNT_PREFIX) or not header.removeprefix(_COUNT_PREFIX).isdecimal():
            raise ValueError(f"the server's answer does not say how many map indexes have {ask.key!r}: {header!r}")
        return lookups.XComCountResponse(len=int(header.removeprefix(_COUNT_PREFIX)))

    def set_rendered_fields(self, route: Route, ask: messages.SetRenderedFields) -> None:
        """
        Stores the rendered fields, masked because people see them. Ignores the server's 410 for an archived try. A
        runner sends them right before it calls the task, so the task's own time begins.
        """
        self._launch.user_code_begins()
        if isinstance(ask.options, TaskOptions):
            self._launch.tell_options(ask.options)
        fields = self._launch.masker.mask_value(ask.rendered_fields)
        try:
            self.routed(route, messages.SetRenderedFields(rendered_fields=fields))
        except errors.Gone as e:
            if not e.by_server:
                raise

    def set_rendered_map_index(self, route: Route, ask: changes.SetRenderedMapIndex) -> Any:
        """Stores the name of a mapped task instance, masked because people see it."""
        name = self._launch.masker.mask(ask.rendered_map_index)
        return self.routed(route, msgspec.structs.replace(ask, rendered_map_index=name))

    def trigger_dag_run(self, route: Route, ask: changes.TriggerDagRun) -> Any:
        """Makes a DAG run; clears an existing one if the message asks for that."""
        try:
            return self.routed(route, ask)
        except errors.Conflict as e:
            if not e.by_server:
                raise
            if not ask.reset_dag_run:
                return ErrorResponse(error=ErrorType.DAGRUN_ALREADY_EXISTS)
        self._calls.call("POST", f"/dag-runs/{segment(ask.dag_id)}/{segment(ask.run_id)}/clear")
        return messages.OKResponse(ok=True)

    def ending(self, ask: Any) -> None:
        """Refuses a terminal message with an effect beyond the task that was not granted; ``reporting`` sends it."""
        self._granted(ask, governing.missing_ending(self._access, self._launch.ids, ask))

    def mask_secret(self, ask: messages.MaskSecret) -> None:
        """Masks what the task asks to be masked."""
        self._launch.mask(masking.secrets_in(ask.value, ask.name))

    def resend_logging_fd(self, _: changes.ResendLoggingFD) -> DescriptorReply:
        """Opens another channel for log lines, for a process that the task started and that has no channel."""
        fd = self._open_log()
        return DescriptorReply(changes.SentFDs(fds=[fd]), fd)

    def unserved(self, ask: Any) -> Any:
        """Refuses what only a triggerer is served."""
        raise errors.Unserved(type(ask).__name__)

    def _request(self, route: Route, ask: Any) -> Request:
        self._granted(ask, route.missing_grant(ask, self._launch.ids, self._access))
        return route.request(ask, self._launch.ids)

    def _granted(self, ask: Any, grant: access.Missing | None) -> None:
        if grant is not None:
            raise errors.NotGranted(f"{type(ask).__name__}: {grant.sentence}", grant.field, grant.name)


class HandlersWithoutTask:
    """The table for a launch that belongs to no task instance. What it may look up comes on top."""

    def __init__(self, launch: Launch, results: Results) -> None:
        self._launch = launch
        self._while, own = self._mode(results)
        self.table: dict[type[Any], Handler] = {
            messages.GetVariable: self.denied,
            lookups.GetVariableKeys: self.denied,
            messages.GetConnection: self.denied,
            messages.GetXCom: self.denied,
            changes.PutVariable: self.denied,
            changes.DeleteVariable: self.denied,
            messages.MaskSecret: self.mask_secret,
            **own,
        }

    def _mode(self, results: Results) -> tuple[str, dict[type[Any], Handler]]:
        """Returns words for where the author's code is, and what takes its result."""
        match self._launch.workload:
            case Timetable():
                return "in a timetable or partition mapper", {timetables.TimetableResult: results.timetable}
            case Callback():
                return "in a callback without a task instance", {callbacks.CallbackResult: results.callback}
            case _:
                return "while the DAG file is parsed", {messages.DagFileParsingResult: results.parsing}

    def denied(self, ask: Any) -> Any:
        """Refuses what only a task may ask for: grants belong to a task instance, and there is no such one yet."""
        return ErrorResponse(
            error=ErrorType.PERMISSION_DENIED,
            detail={
                "message": f"{type(ask).__name__} {self._while}: nothing is granted to it. "
                "Move the call into a task, where it runs with the task's grants."
            },
        )

    def mask_secret(self, ask: messages.MaskSecret) -> None:
        """Masks what the file asks to be masked."""
        self._launch.mask(masking.secrets_in(ask.value, ask.name))
