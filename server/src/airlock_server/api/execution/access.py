"""Who may call what: the bearer token, its scope, and whose task instance the path names."""

from collections.abc import Mapping

from airlock_server.api.execution.routing import Route
from airlock_server.keys.tokens import Claims, InvalidToken, Tokens
from airlock_server.web.errors import Refused


def bearer(headers: Mapping[bytes, bytes]) -> str | None:
    """The token of the Authorization header, None where there is none."""
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


class Access:
    """A request's token, verified once and only when somebody asks."""

    def __init__(self, tokens: Tokens, headers: Mapping[bytes, bytes]) -> None:
        self._tokens = tokens
        self._token = bearer(headers)
        self._claims: Claims | None = None

    def check(self, route: Route, path: Mapping[str, str]) -> Claims | None:
        """The claims, where the token opens ``route``; raises 401 or 403."""
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
        if route.own and claims.sub != path["task_instance_id"]:
            raise Refused(403, "Token subject does not match task instance ID")
        return claims

    def revoke_pods(self) -> None:
        """The launch of the request counts no more: a token that is bound to a pod is not refreshed."""
        if self._claims is not None and self._claims.bound is not None:
            self._token = self._claims = None

    def refreshed(self) -> str | None:
        """A successor for the request's token where it is near its end, whatever the request was answered."""
        if self._claims is None and self._token is not None:
            try:
                self._claims = self._tokens.verify(self._token)
            except InvalidToken:
                return None
        return None if self._claims is None else self._tokens.refreshed(self._claims)
