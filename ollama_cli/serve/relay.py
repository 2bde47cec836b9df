"""An answer on its way back: each piece as it came, no faster than the client takes it."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from ollama_cli.errors import UnavailableError
from ollama_cli.serve.client import Client
from ollama_cli.serve.headers import Headers, back
from ollama_cli.serve.refusals import RefusedError, error_content, family_of, json_answer
from ollama_cli.serve.servers import whole
from ollama_cli.serve.signer import Signed
from ollama_cli.transport.hiding import hide, sent_secrets
from ollama_cli.transport.lean_httpx import httpx

LONGEST_REFUSAL = 1024 * 1024
"""Bytes of a refusal that are looked at; a longer one is no server's."""

_LAST_STATUS = 599


async def relay(client: Client, response: httpx.Response) -> None:
    """Pass an answer on, and close it.

    Where it breaks off the client's connection is closed, so that it breaks off there too.
    """
    client.heard()
    try:
        if not HTTPStatus.OK <= response.status_code <= _LAST_STATUS:
            raise RefusedError(502, f"{response.url.host} answered with the status {response.status_code}")
        headers = back(response.headers.raw, sent_secrets(response.request))
        await client.send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        try:
            async for piece in response.aiter_raw():
                await client.send({"type": "http.response.body", "body": piece, "more_body": True})
        except httpx.TransportError:
            client.hang_up()
            return
        await client.send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        await response.aclose()


async def relay_signed(client: Client, response: httpx.Response, signed: Signed) -> None:
    """Pass on an answer to a signed request: a refused credential with the link that mends it, no other changed.

    A redirect is not followed, and no client is sent on with what it asked. What an error repeats of the credential is
    hidden.
    """
    if response.has_redirect_location:
        await response.aclose()
        raise RefusedError(502, f"{response.url.host} answered with a redirect, which is not followed")
    if not HTTPStatus.BAD_REQUEST <= response.status_code <= _LAST_STATUS:
        await relay(client, response)
        return
    try:
        body = await whole(response, LONGEST_REFUSAL)
    except UnavailableError as error:
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            told = f"{response.url.host} answered with the status {response.status_code}, and not with the reason"
            raise RefusedError(response.status_code, told) from error
        body = b""
    text = body.decode("utf-8", "surrogateescape")
    secrets = sent_secrets(response.request)
    hidden = hide(text, secrets)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        path: str = client.scope["path"]
        await client.answer(json_answer(_with_link(path, hidden, signed.link), HTTPStatus.UNAUTHORIZED))
        return
    answer = Response(hidden.encode("utf-8", "surrogateescape"), response.status_code)
    answer.raw_headers = [(name, value) for name, value in answer.raw_headers if name == b"content-length"]
    answer.raw_headers += _without_length(back(response.headers.raw, secrets))
    await client.answer(answer)


def _with_link(path: str, said: str, link: str) -> dict[str, object]:
    """What a refused client is told: what the cloud said, if that was an object, and the link."""
    try:
        content = msgspec.json.decode(said.encode("utf-8", "surrogateescape"))  # no NaN, which could not be sent on
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict) and content.get("error"):
        return {**content, "signin_url": link}
    return error_content(family_of(path), HTTPStatus.UNAUTHORIZED, "unauthorized", link)


def _without_length(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name not in {b"content-length", b"content-encoding"}]
