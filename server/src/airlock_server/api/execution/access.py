"""Checks who may call a route: the bearer token, its scope, and the task instance in the path."""

from collections.abc import Mapping

from airlock_server.api.execution.routing import Route
from airlock_server.keys.tokens import Claims, InvalidToken, Tokens
from airlock_server.web.errors import Refused


def bearer(headers: Mapping[bytes, bytes]) -> str | None:
    """Returns the token of the Authorization header, None without one."""
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


class Access:
    """A request's token, verified once, at the first use."""

    def __init__(self, tokens: Tokens, headers: Mapping[bytes, bytes]) -> None:
        self._tokens = tokens
        self._token = bearer(headers)
        self._claims: Claims | None = None

    async def ready(self) -> None:
        """Makes the keys ready that the token may need; ``check`` reads nothing."""
        if self._token is not None:
            await self._tokens.ready(self._token)

    def check(self, route: Route, path: Mapping[str, str]) -> Claims | None:
        """Returns the claims if the token opens ``route``; else raises 401 or 403."""
        if route.scopes is None:
            return None
        if self._token is None:
            raise Refused(401, "Missing auth token")
        try:
            claims = self._claims = self._tokens.verify(self._token)
        except InvalidToken as e:
            self._token = None
            raise Refused(403, str(e)) from e
        if claims.scope not in route.scopes:
            accepted = ", ".join(sorted(route.scopes))
            raise Refused(403, f"Token scope '{claims.scope}' does not open this route. It takes: {accepted}")
        if route.own and claims.sub != path[route.subject]:
            subject = route.subject.removesuffix("_id").replace("_", " ")
            raise Refused(403, f"Token subject does not match {subject} ID")
        return claims

    def revoke_pods(self) -> None:
        """Ends the refreshing of the request's token, if it is bound to a pod: its launch was superseded."""
        if self._claims is not None and self._claims.bound is not None:
            self._token = self._claims = None

    def refreshed(self) -> str | None:
        """Returns a new token if the request's token is near its end, whatever the answer to the request is."""
        if self._claims is None and self._token is not None:
            try:
                self._claims = self._tokens.verify(self._token)
            except InvalidToken:
                return None
        return None if self._claims is None else self._tokens.refreshed(self._claims)
