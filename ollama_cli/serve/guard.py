"""Stands before everything else: who may ask, and what may be asked by nobody's page."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ollama_cli.secret import Secret
from ollama_cli.serve.headers import value_of
from ollama_cli.serve.origins import Hosts, Origins
from ollama_cli.serve.refusals import RefusedError, answer_refusal

LARGEST_HEAD = 32 * 1024
"""Bytes of a request's headers."""

LARGEST_TARGET = 8 * 1024
"""Bytes of its path and query."""

_PAGE_HEADERS = (
    "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,X-Stainless-Arch,X-Stainless-Async,"
    "X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,"
    "X-Stainless-Package-Version,X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,"
    "X-Stainless-Runtime-Version,X-Stainless-Timeout"
)

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
    "Access-Control-Allow-Headers": _PAGE_HEADERS,
    "Access-Control-Max-Age": "43200",
    "Vary": "Origin, Access-Control-Request-Headers",
}
"""What a browser that asks beforehand is told, as by the reference."""


class Guard:
    """Lets a request through to the app, or refuses it.

    Args:
        app: What answers.
        hosts: The names of this server; None where only who can open its socket reaches it.
        origins: The pages that may ask.
        token: What a request has to bring, or None.
        is_private: Whether a path is for no page at all.
        tell: Told of a host or an origin that is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Hosts | None,
        origins: Origins,
        token: Secret | None,
        is_private: Callable[[str], bool],
        tell: Callable[[str, str], None],
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins
        self._token = token
        self._is_private = is_private
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as ASGI has it."""
        origins = _values(scope, b"origin")
        refusal = self._refusal(scope, origins)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if not origins:
            await self._app(scope, receive, send)
            return

        async def for_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [(b"access-control-allow-origin", origins[0].encode("latin-1")), (b"vary", b"Origin")]
                message = {**message, "headers": [*message.get("headers", ()), *told]}
            await send(message)

        await self._app(scope, receive, for_page)

    def _refusal(self, scope: Scope, origins: list[str]) -> Response | None:
        status = _status_of_head(scope)
        if status:
            return Response(status_code=status, headers={"Connection": "close"})
        hosts = _values(scope, b"host")
        if self._hosts is not None and (len(hosts) != 1 or not self._hosts.allow(hosts[0])):
            self._tell("host", hosts[0] if len(hosts) == 1 else "")
            return Response(status_code=403)
        if origins and not self._may_ask(scope, origins, hosts[0] if self._hosts else ""):
            return Response(status_code=403)
        if scope["method"] == "OPTIONS":
            allowed = {"Access-Control-Allow-Origin": origins[0], **_PREFLIGHT} if origins else None
            return Response(status_code=204, headers=allowed)
        if self._token is not None and not _brings(scope, self._token):
            refused = RefusedError(
                401, "this server wants its own token, as a Bearer token", headers={"WWW-Authenticate": "Bearer"}
            )
            return answer_refusal(scope["path"], refused)
        return None

    def _may_ask(self, scope: Scope, origins: list[str], host: str) -> bool:
        """Whether the page that a request comes from may ask for what it asks."""
        if len(origins) > 1 or not self._origins.allow(origins[0], host):
            self._tell("origin", origins[0])
            return False
        return not self._is_private(scope["path"])


def _status_of_head(scope: Scope) -> int:
    """The status that refuses a head: too large, or of a body whose end two servers may see in two places; or 0."""
    names = {name for name, _ in scope["headers"]}
    if {b"content-length", b"transfer-encoding"} <= names:
        return 400
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD:
        return 431
    return 414 if len(scope["raw_path"]) + len(scope["query_string"]) > LARGEST_TARGET else 0


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def _brings(scope: Scope, token: Secret) -> bool:
    """Whether a request has the token, where Ollama's and OpenAI's clients send theirs, or where Anthropic's do."""
    scheme, _, brought = value_of(scope["headers"], b"authorization").partition(b" ")
    if scheme.lower() != b"bearer":
        brought = value_of(scope["headers"], b"x-api-key")
    return hmac.compare_digest(brought.strip(), token.reveal().encode("ascii"))
