"""A request of the Execution API: an HTTP request, and the door to the database that its token opens."""

from airlock_server.api.execution.door import Door
from airlock_server.web import http
from airlock_server.web.http import Scope


class Request(http.Request):
    """``door`` is there once the token was checked."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._door: Door | None = None

    @property
    def door(self) -> Door:
        """The way to the database; RuntimeError before the token was checked."""
        if self._door is None:
            raise RuntimeError("the door is not there before the token was checked")
        return self._door

    @door.setter
    def door(self, door: Door) -> None:
        self._door = door
