"""The account over HTTP: who is signed in, and taking devices off."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ollama_cli.credentials.public_key import decode_public_key
from ollama_cli.sandbox.authentication import authenticate
from ollama_cli.sandbox.refusals import RefusedError
from ollama_cli.sandbox.shared import sandbox_of

ACCOUNT = {
    "id": "00000000-0000-4000-8000-000000000000",
    "email": "sandbox@localhost",
    "name": "sandbox",
    "plan": "free",
}


async def me(request: Request) -> Response:
    """``POST /api/me``: the account that the credential belongs to."""
    authenticate(request)
    return JSONResponse(ACCOUNT)


async def remove_key(request: Request) -> Response:
    """``DELETE /api/user/keys/{key}``: take off the device that the path names, which need not be the caller's own."""
    authenticate(request)
    public_key = decode_public_key(request.path_params["key"])
    if public_key is None or not sandbox_of(request).accounts.remove(public_key):
        raise RefusedError(404, "key not found")
    return JSONResponse(None)


async def sign_out(request: Request) -> Response:
    """``POST /api/signout``: take the caller's own device off, as the reference client asks of its host."""
    caller = authenticate(request)
    if caller.public_key is None:
        raise RefusedError(400, "only a device can sign out; an API key is revoked on its page")
    sandbox_of(request).accounts.remove(caller.public_key)
    return JSONResponse(None)
