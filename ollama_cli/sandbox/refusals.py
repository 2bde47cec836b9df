"""A request that is refused, and how the refusal reads: in Ollama's shape, OpenAI's or Anthropic's."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

_ANTHROPIC_PATH = "/v1/messages"
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error"}


class RefusedError(Exception):
    """Ends a request.

    Args:
        status: The HTTP status.
        message: What is wrong with it.
        extra: Further fields of the body, such as ``signin_url``.
    """

    def __init__(self, status: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.extra = extra


def error_body(path: str, status: int, message: str, **extra: Any) -> dict[str, Any]:
    """The body of a refusal, in the shape of the API that was asked."""
    if not path.startswith("/v1/"):
        return {"error": message, **extra}
    kind = _KINDS.get(status, "api_error")
    if path == _ANTHROPIC_PATH:
        return {"type": "error", "error": {"type": kind, "message": message}, **extra}
    return {"error": {"message": message, "type": kind, "param": None, "code": None}, **extra}


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Answer a request that was refused."""
    assert isinstance(error, RefusedError)  # noqa: S101 - Starlette's type for handlers is wider than what it passes
    body = error_body(request.url.path, error.status, error.message, **error.extra)
    return JSONResponse(body, status_code=error.status)


async def answer_broken_store(_request: Request, _error: Exception) -> Response:
    """Answer a request while the account's file cannot be read: another process holds it, or it is damaged."""
    return JSONResponse({"error": "the sandbox cannot read its account just now"}, status_code=503)


async def answer_no_route(_request: Request, _error: Exception) -> Response:
    """Answer for a path that is not there."""
    return PlainTextResponse("404 page not found", status_code=404)


async def answer_no_method(_request: Request, error: Exception) -> Response:
    """Answer for a path that takes other methods."""
    return PlainTextResponse("405 method not allowed", status_code=405, headers=getattr(error, "headers", None))
