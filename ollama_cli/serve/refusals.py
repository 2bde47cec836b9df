"""What the gateway answers by itself where a request fails, in the form that its path's clients read."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

from ollama_cli.errors import (
    CliError,
    ForbiddenError,
    LimitError,
    SignInError,
    StoreError,
    UnavailableError,
    UsageError,
)

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


class RefusedError(Exception):
    """A request is answered with an error.

    Args:
        status: The HTTP status.
        message: What is wrong, as clients show it.
        signin_url: The link that signs this device in.
        plain: Whether it is told in Ollama's own form whatever the path.
        headers: What the answer says besides.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        signin_url: str | None = None,
        plain: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.signin_url = signin_url
        self.plain = plain
        self.headers = headers or {}


class _Answer(JSONResponse):
    """An answer that can be sent whatever it repeats: half a character, which JSON may name, becomes a mark."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: object) -> bytes:
        """The content as it is sent."""
        written = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return written.encode("utf-8", "replace")


def family_of(path: str) -> str:
    """Whose form a path speaks: ``ollama``, ``openai`` or ``anthropic``."""
    if path.startswith("/v1/messages"):
        return "anthropic"
    return "openai" if path.startswith("/v1/") else "ollama"


def error_content(family: str, status: int, message: str, signin_url: str | None = None) -> dict[str, Any]:
    """An error in the form of a family of paths.

    Args:
        family: As ``family_of`` gives it.
        status: The HTTP status.
        message: What is wrong.
        signin_url: The link that signs this device in.
    """
    link = {"signin_url": signin_url} if signin_url else {}
    if family == "ollama":
        return {"error": message, **link}
    kind = _KINDS.get(status, "api_error")
    if signin_url:  # these clients show the message alone
        message = f"{message}: sign in at {signin_url}"
    if family == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": message}, **link}
    return {"error": {"message": message, "type": kind, "param": None, "code": None}, **link}


def answer_refusal(path: str, refused: RefusedError) -> Response:
    """The answer to a refused request."""
    family = "ollama" if refused.plain else family_of(path)
    content = error_content(family, refused.status, refused.message, refused.signin_url)
    return json_answer(content, refused.status, refused.headers)


def json_answer(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON, with the content type that the reference's have."""
    return _Answer(content, status, headers)


def text_answer(text: str, status: int = 200, **headers: str) -> Response:
    """An answer that is a line of text, with the content type that the reference's have."""
    kind = "text/plain" if status >= HTTPStatus.BAD_REQUEST else "text/plain; charset=utf-8"
    return Response(text, status, {"Content-Type": kind, **headers})


def refusal_of(error: CliError) -> RefusedError:
    """The answer for an error of ours."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    message = error.message.rstrip(".")
    return RefusedError(status, message, signin_url=error.signin_url)


_STATUSES: tuple[tuple[type[CliError], int], ...] = (
    (SignInError, 401),
    (ForbiddenError, 403),
    (LimitError, 429),
    (StoreError, 503),
    (UnavailableError, 502),
    (UsageError, 400),
)
