"""What a task asks people, and their answer. Only the token of the task instance opens these."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Handler, Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.store import task_states
from airlock_server.store.people import hitl as store
from airlock_server.store.people.hitl import Answered
from airlock_server.web.errors import Refused, refused
from airlock_server.web.http import Response, as_json
from airlock_server.web.validation import decode

Options = Annotated[list[str], msgspec.Meta(min_length=1)]


class User(msgspec.Struct, frozen=True):
    """A person who may answer."""

    id: str
    name: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. Keys that are not known here are ignored, as Airflow's client sends one more."""

    ti_id: UUID
    options: Options
    subject: str
    body: str | None = None
    defaults: list[str] | None = None
    multiple: bool = False
    params: dict[str, Any] = {}
    assigned_users: list[User] = []


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""

    ti_id: UUID
    chosen_options: Options
    params_input: dict[str, Any] = {}


_question = msgspec.json.Decoder(Question)
_choice = msgspec.json.Decoder(Choice)


async def ask(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Asks, in the place of an earlier question and its answer."""
    question = msgspec.to_builtins(decode(_question, request.body, request.content_type))
    ti_id = request.path["task_instance_id"]

    def write(conn: sa.Connection) -> None:
        if task_states.key_of(conn, ti_id) is None:
            raise refused(404, "not_found", "Task Instance not found")
        store.ask(conn, ti_id, question)

    await request.door.awrite(write)
    return as_json(question, 201)


async def answer(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Takes the answer of the task's own defaults; one that a person gave stays."""
    choice = decode(_choice, request.body, request.content_type)
    ti_id = request.path["task_instance_id"]
    content = {
        # Nobody: these are the defaults of the task.
        "responded_by_user": None,
        "chosen_options": choice.chosen_options,
        "params_input": choice.params_input,
    }

    def write(conn: sa.Connection) -> Answered:
        store.lock(conn, ti_id)
        before = _there(store.get(conn, ti_id))
        if before.answer is not None:
            message = f"Human-in-the-loop detail for Task Instance with id {ti_id} already exists."
            raise Refused(409, message)
        store.answer(conn, ti_id, content)
        return _there(store.get(conn, ti_id))

    return as_json(_shown(await request.door.awrite(write)))


async def get(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with what people have answered."""
    ti_id = request.path["task_instance_id"]
    return as_json(_shown(_there(await request.door.point(lambda conn: store.get(conn, ti_id)))))


def _there(answered: Answered | None) -> Answered:
    if answered is None:
        raise refused(404, "not_found", "Human-in-the-loop detail not found")
    return answered


def _shown(answered: Answered) -> dict[str, Any]:
    content = answered.answer or {"responded_by_user": None, "chosen_options": [], "params_input": {}}
    return {"response_received": answered.answer is not None, "responded_at": answered.at, **content}


def _own(method: str, handler: Handler) -> Route:
    return Route(method=method, pattern="/hitlDetails/{task_instance_id}", handler=handler, own=True)


ROUTES = [_own("POST", ask), _own("PATCH", answer), _own("GET", get)]
